"""Writers of sample files, one for each format that departments send; the same rows give the same file."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, Literal, Protocol
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter

Kind = Literal["xlsx", "xls", "ods", "csv", "tsv"]
NAME = "行政处罚"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


class Writer(Protocol):
    """A sheet written from top to bottom. Cells are texts, days, numbers or nothing."""

    written: int

    def title(self, text: str, width: int) -> None: ...
    def labels(self, labels: Sequence[str]) -> None: ...
    def row(self, cells: Sequence[Any]) -> None: ...
    def close(self) -> None: ...


def sheet_for(kind: Kind, out: BinaryIO, text_columns: Collection[int], encoding: str = "utf-8-sig") -> Writer:
    """The writer of a format; `text_columns` are preset as text where a format can say so."""
    if kind == "xlsx":
        return XlsxSheet(out, text_columns)
    if kind == "xls":
        return XlsSheet(out)
    if kind == "ods":
        return OdsSheet(out)
    return TextSheet(out, encoding, "\t" if kind == "tsv" else ",")


class XlsxSheet:
    def __init__(self, out: BinaryIO, text_columns: Collection[int]) -> None:
        self._book = new_xlsx(out, constant_memory=True)
        self._sheet = self._book.add_worksheet(NAME)
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._bold = self._book.add_format({"bold": True})
        text = self._book.add_format({"num_format": "@"})
        for index in text_columns:
            self._sheet.set_column(index, index, 22, text)
        self.written = 0

    def title(self, text: str, width: int) -> None:
        self._sheet.merge_range(0, 0, 0, width - 1, text, self._bold)
        self.written += 1

    def labels(self, labels: Sequence[str]) -> None:
        for index, label in enumerate(labels):
            self._sheet.write_string(self.written, index, label, self._bold)
        self.written += 1

    def row(self, cells: Sequence[Any]) -> None:
        write_xlsx_row(self._sheet, self.written, cells, self._day)
        self.written += 1

    def close(self) -> None:
        self._book.close()


def new_xlsx(out: BinaryIO, **options: Any) -> Any:
    """A workbook that does not say when it was made."""
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": datetime(2026, 11, 20)})
    return book


def write_xlsx_row(sheet: Any, number: int, cells: Sequence[Any], day: Any) -> None:
    """Write cells by their Python type; texts are never made formulas."""
    epoch = date(1904, 1, 1) if sheet.date_1904 else date(1899, 12, 30)
    for index, cell in enumerate(cells):
        if cell is None:
            continue
        if type(cell) is str:
            sheet.write_string(number, index, cell)
        elif type(cell) is date:
            sheet.write_number(number, index, (cell - epoch).days, day)
        else:
            sheet.write_number(number, index, cell)


class XlsSheet:
    """Needs xlwt, which comes with the packages for development."""

    def __init__(self, out: BinaryIO) -> None:
        import xlwt

        self._out = out
        self._book = xlwt.Workbook()
        self._sheet = self._book.add_sheet(NAME)
        self._day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
        self._plain = xlwt.easyxf()
        self.written = 0

    def title(self, text: str, width: int) -> None:
        self._sheet.write_merge(0, 0, 0, width - 1, text)
        self.written += 1

    def labels(self, labels: Sequence[str]) -> None:
        self.row(labels)

    def row(self, cells: Sequence[Any]) -> None:
        for index, cell in enumerate(cells):
            if cell is not None:
                self._sheet.write(self.written, index, cell, self._day if type(cell) is date else self._plain)
        self.written += 1

    def close(self) -> None:
        self._book.save(self._out)


class OdsSheet:
    def __init__(self, out: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        self._zip.writestr(zipfile.ZipInfo("mimetype"), ODS)
        manifest = zipfile.ZipInfo("META-INF/manifest.xml")
        self._zip.writestr(manifest, MANIFEST)
        content = zipfile.ZipInfo("content.xml")
        content.compress_type = zipfile.ZIP_DEFLATED
        self._content = self._zip.open(content, "w", force_zip64=True)
        self._write(
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {SPACES} office:version="1.2"><office:body>'
            f"<office:spreadsheet><table:table table:name={quoteattr(NAME)}>"
        )
        self.written = 0

    def _write(self, text: str) -> None:
        self._content.write(text.encode())

    def title(self, text: str, width: int) -> None:
        span = f' table:number-columns-spanned="{width}" table:number-rows-spanned="1"'
        covered = f'<table:covered-table-cell table:number-columns-repeated="{width - 1}"/>'
        self._write(f"<table:table-row>{_ods_text(text, span)}{covered}</table:table-row>")
        self.written += 1

    def labels(self, labels: Sequence[str]) -> None:
        self.row(labels)

    def row(self, cells: Sequence[Any]) -> None:
        self._write(f"<table:table-row>{''.join(map(_ods_cell, cells))}</table:table-row>")
        self.written += 1

    def close(self) -> None:
        tail = '<table:table-cell table:number-columns-repeated="1024"/>'
        self._write(
            f'<table:table-row table:number-rows-repeated="{1_048_576 - self.written}">{tail}</table:table-row>'
            "</table:table></office:spreadsheet></office:body></office:document-content>"
        )
        self._content.close()
        self._zip.close()


def _ods_text(text: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{escape(text)}</text:p></table:table-cell>'


def _ods_cell(cell: Any) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if type(cell) is str:
        return _ods_text(cell)
    kind, name, shown = ("date", "date-value", str(cell)) if type(cell) is date else ("float", "value", f"{cell:.15G}")
    value = cell if type(cell) is date else repr(cell)
    return f'<table:table-cell office:value-type="{kind}" office:{name}="{value}"><text:p>{shown}</text:p></table:table-cell>'


class TextSheet:
    def __init__(self, out: BinaryIO, encoding: str, delimiter: str) -> None:
        self._text = io.TextIOWrapper(out, encoding, newline="")
        self._writer = csv.writer(self._text, delimiter=delimiter)
        self.written = 0

    def title(self, text: str, width: int) -> None:
        self.labels([text])

    def labels(self, labels: Sequence[str]) -> None:
        self._writer.writerow(labels)
        self.written += 1

    def row(self, cells: Sequence[Any]) -> None:
        self._writer.writerow([f"{cell:.14E}" if type(cell) is float and cell > 1e15 else cell for cell in cells])
        self.written += 1

    def close(self) -> None:
        self._text.detach()
