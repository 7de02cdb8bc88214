"""Workbooks made by hand, for what no library will write."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import xlwt
from xlwt.CompoundDoc import XlsDoc

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_LINKS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def crafted(
    *sheets: str,
    strings: str | None = None,
    styles: str | None = None,
    namespace: str = MAIN,
    links: str = LINKS,
    hidden: tuple[int, ...] = (),
    workbook_pr: str = "",
    extra: dict[str, bytes] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> io.BytesIO:
    """A workbook from the XML of its sheets. A text without <worksheet is taken as its rows."""
    parts: dict[str, bytes] = {}
    listed = linked = ""
    for number, body in enumerate(sheets, 1):
        state = ' state="hidden"' if number in hidden else ""
        listed += f'<sheet name="表{number}" sheetId="{number}"{state} r:id="rId{number}"/>'
        linked += f'<Relationship Id="rId{number}" Type="{links}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        sheet = body
        if "worksheet" not in body:
            sheet = f'<worksheet xmlns="{namespace}"><sheetData>{body}</sheetData></worksheet>'
        encoding = "utf-16" if "utf-16" in sheet[:60] else "utf-8"
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet.encode(encoding, "surrogatepass")
    if strings is not None:
        linked += f'<Relationship Id="s" Type="{links}/sharedStrings" Target="sharedStrings.xml"/>'
        if "<sst" not in strings and ":sst" not in strings:
            strings = f'<sst xmlns="{namespace}">{strings}</sst>'
        parts["xl/sharedStrings.xml"] = strings.encode()
    if styles is not None:
        linked += f'<Relationship Id="y" Type="{links}/styles" Target="/xl/styles.xml"/>'
        parts["xl/styles.xml"] = f'<styleSheet xmlns="{namespace}">{styles}</styleSheet>'.encode()
    parts["_rels/.rels"] = (
        f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a" Type="{links}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ).encode()
    parts["xl/_rels/workbook.xml.rels"] = (f'<Relationships xmlns="{PACKAGE}">{linked}</Relationships>').encode()
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{namespace}" xmlns:r="{links}">{workbook_pr}<sheets>{listed}</sheets></workbook>'
    ).encode()
    return zipped({**parts, **(extra or {})}, compression)


def zipped(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    out.seek(0)
    return out


def text_row(number: int, *texts: str) -> str:
    cells = "".join(
        f'<c r="{chr(65 + i)}{number}" t="inlineStr"><is><t>{text}</t></is></c>' for i, text in enumerate(texts)
    )
    return f'<row r="{number}">{cells}</row>'


def xls(fill: Callable[[Any], None]) -> io.BytesIO:
    """A BIFF8 workbook as `fill` makes it with xlwt."""
    book = xlwt.Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out


def ole(stream: bytes, name: str = "Workbook") -> io.BytesIO:
    """An OLE container with one stream; small ones are padded, as a small stream lives elsewhere."""
    out = io.BytesIO()
    XlsDoc().save(out, stream.ljust(4096, b"\0"))
    data = out.getvalue()
    at = data.index("Workbook".encode("utf-16-le"))
    entry = name.encode("utf-16-le")
    renamed = entry.ljust(64, b"\0") + (len(entry) + 2).to_bytes(2, "little")
    return io.BytesIO(data[:at] + renamed + data[at + 66 :])


ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODS_NAMES = (
    " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style")
    )
    + ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def ods(*sheets: str, styles: str = "", settings: str = "", extra: dict[str, bytes] | None = None) -> io.BytesIO:
    """An OpenDocument spreadsheet from its sheets' rows; a text that begins with <table:table is taken as it is."""
    tables = "".join(
        sheet if sheet.startswith("<table:table ") else f'<table:table table:name="表{number}">{sheet}</table:table>'
        for number, sheet in enumerate(sheets, 1)
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODS_NAMES}><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:spreadsheet>{settings}{tables}</office:spreadsheet>"
        "</office:body></office:document-content>"
    )
    manifest = b'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    parts = {"mimetype": ODS.encode(), "content.xml": content.encode(), "META-INF/manifest.xml": manifest}
    return zipped({**parts, **(extra or {})})


def ods_row(*cells: str, attributes: str = "") -> str:
    """A row of texts; what begins with <table: is a cell already."""
    made = "".join(
        cell if cell.startswith("<table:")
        else f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in cells
    )  # fmt: skip
    return f"<table:table-row{attributes}>{made}</table:table-row>"


def ods_cell(shown: str = "", **attributes: str) -> str:
    """A typed cell: value_type and value-like attributes belong to office, the others to table."""
    names = "".join(
        f' {"office" if key.endswith("value") or key == "value_type" else "table"}:{key.replace("_", "-")}="{value}"'
        for key, value in attributes.items()
    )
    return f"<table:table-cell{names}><text:p>{shown}</text:p></table:table-cell>"
