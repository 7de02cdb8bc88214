"""Workbooks made by hand, for what no library will write."""

import io
import zipfile

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
