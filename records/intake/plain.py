"""Reading plain XML by pattern, several times faster than any parser Python has.

Excel, WPS, LibreOffice, POI, openpyxl and the like all write rows and shared strings in one
narrow form. Text in that form is cut at row ends here and matched by strict patterns in the
callers. Whatever is not in that form (comments, CDATA, other encodings, odd attributes) raises
Irregular, and lxml reads it instead: patterns only ever decide what is fast, never what is true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .base import refuse
from .parts import Part, damaged, refuse_doctype

CHUNK = 256 * 1024
MAX_ITEM = 64 * 1024 * 1024
MAX_HEAD = 8 * 1024 * 1024
FORBIDDEN = bytes(set(range(32)) - {9, 10, 13})
DECLARATION = re.compile(rb"\s*<\?xml[^>]*?\?>")
ENCODING = re.compile(rb"encoding\s*=\s*[\"']([\w.-]+)[\"']")

NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6});|#(\d{1,7});|(amp|lt|gt|quot|apos);|())")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Irregular(Exception):
    """Not the plain form: lxml takes over."""


class PlainList:
    """The items between the opening and the closing tag of a long list in one part.

    `chunks()` yields text that holds whole items only. Afterwards the rest of the part is read
    to its end (so that its checksum is verified) and `after` yields it.
    """

    def __init__(self, part: Part, list_tag: str, item_tag: str) -> None:
        self._part = part
        self._list_tag = list_tag.encode()
        self._item_tag = item_tag.encode()
        self._buffer = b""
        self.prefix = ""
        self.namespaces = ""
        self.head = ""
        self.is_empty = False
        self._enter()

    def _enter(self) -> None:
        """Read up to the list's opening tag and learn its namespace prefix."""
        opening = re.compile(rb"<(?:([A-Za-z][\w.-]*):)?" + self._list_tag + rb"(?:\s[^>]*?)?(/?)>")
        buffer = b""
        while (match := opening.search(buffer)) is None:
            data = self._part.read(CHUNK)
            if not data or len(buffer) > MAX_HEAD:
                raise Irregular
            buffer += data
        head = buffer[: match.end()].removeprefix(b"\xef\xbb\xbf")
        refuse_doctype(head, self._part.name)
        declared = DECLARATION.match(head)
        encoding = ENCODING.search(declared[0]) if declared else None
        if encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii"):
            raise Irregular
        body = head[declared.end() :] if declared else head
        if b"<!" in body or b"<?" in body:
            raise Irregular
        self.prefix = f"{match[1].decode()}:" if match[1] else ""
        self.head = text(body)
        self.namespaces = " ".join(set(re.findall(r"\bxmlns[:\w.-]*\s*=\s*\"[^\"<]*\"", self.head)))
        self.is_empty = bool(match[2])
        self._buffer = buffer[match.end() :]

    def chunks(self) -> Iterator[str]:
        """Raises Irregular, and FileRefused when the list never ends or an item is enormous."""
        if self.is_empty:
            return
        tag = self.prefix.encode()
        item_end = b"</" + tag + self._item_tag + b">"
        item_open = b"<" + tag + self._item_tag
        list_end = b"</" + tag + self._list_tag + b">"
        buffer, seen = self._buffer, 0
        while (end := buffer.find(list_end, max(0, seen - len(list_end)))) < 0:
            cut = max(buffer.rfind(item_end) + len(item_end), buffer.rfind(item_open))
            if cut >= len(item_end):
                yield text(buffer[:cut])
                buffer = buffer[cut:]
            if len(buffer) > MAX_ITEM:
                refuse("F14", "文件中有一行的内容过大，无法读取。请检查是否误粘贴了大段内容。")
            seen = len(buffer)
            data = self._part.read(CHUNK)
            if not data:
                damaged(f"部件 {self._part.name} 没有结尾")
            buffer += data
        yield text(buffer[:end])
        self._buffer = buffer[end:]

    def after(self) -> Iterator[bytes]:
        """What follows the list, in overlapping pieces."""
        piece = self._buffer
        while True:
            yield piece
            data = self._part.read(CHUNK)
            if not data:
                return
            piece = piece[-200:] + data


def text(data: bytes) -> str:
    """Bytes of plain XML → str with line ends as XML wants them. Raises Irregular."""
    if len(data.translate(None, FORBIDDEN)) != len(data):
        raise Irregular
    try:
        decoded = data.decode()
    except UnicodeDecodeError:
        raise Irregular from None
    # Either mark is rare, and one character is found many times faster than two.
    if b"!" in data and "<!" in decoded or b"?" in data and "<?" in decoded:
        raise Irregular
    if "\r" in decoded:
        decoded = decoded.replace("\r\n", "\n").replace("\r", "\n")
    return decoded


def _entity(match: re.Match[str]) -> str:
    hexadecimal, decimal, name, _ = match.groups()
    if name:
        return NAMED[name]
    if not (hexadecimal or decimal):
        raise Irregular
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    if code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE:
        return chr(code)
    if 0x10000 <= code <= 0x10FFFF:
        return chr(code)
    raise Irregular


def unescape(raw: str) -> str:
    """XML entities → characters. Raises Irregular for any that XML does not know."""
    return ENTITY.sub(_entity, raw) if "&" in raw else raw


def unescape_excel(value: str) -> str:
    """`_x000D_` → carriage return: Excel's own way to write what XML cannot hold."""
    if "_x" not in value:
        return value
    return ESCAPED.sub(_excel_char, value)


def as_text(raw: str) -> str:
    """Raw text of an element → the text it stands for. Raises Irregular."""
    return unescape_excel(unescape(raw)) if "&" in raw or "_x" in raw else raw


def _excel_char(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    # NUL and lone surrogates cannot be stored anywhere later on: leave them as written.
    return match[0] if code == 0 or 0xD800 <= code <= 0xDFFF else chr(code)
