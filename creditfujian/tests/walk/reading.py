"""What a person reads in an answer, whatever its form: the words of a page, a table, a sheet, a document."""

import io
import json
from html import unescape
from zipfile import ZipFile

import openpyxl
from pypdf import PdfReader
from pypdf.errors import PyPdfError


def plain(content: bytes, kind: str) -> str:
    """Return the text in an answer of this content type."""
    if "json" in kind:
        return _json(content)
    if content[:4] == b"PK\x03\x04":
        return _packed(content)
    if content[:5] == b"%PDF-":
        return _pdf(content)
    return unescape(content.decode(errors="replace"))


def _packed(content: bytes) -> str:
    """Return what stands in a workbook's cells, or in the files of an archive."""
    with ZipFile(io.BytesIO(content)) as archive:
        if "[Content_Types].xml" not in archive.namelist():
            return "\n".join(plain(archive.read(name), "") for name in archive.namelist())
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return "\n".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell)


def _json(content: bytes) -> str:
    try:
        documents = [json.loads(content)]
    except ValueError:  # one document a line
        documents = [json.loads(line) for line in content.splitlines() if line.strip()]
    return "\n".join(json.dumps(document, ensure_ascii=False) for document in documents)


def _pdf(content: bytes) -> str:
    """Return the words of a document, spaces taken out as lines break anywhere; of a scan its bytes."""
    try:
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    except PyPdfError:
        return content.decode(errors="replace")
    return "".join(text.split())
