"""The zip around a workbook: opened with suspicion, read part by part, never unpacked to disk."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NoReturn, Self

from lxml import etree

from .base import Limits, refuse

MAX_ENTRIES = 10_000
SMALL_PART = 32 * 1024 * 1024  # workbook.xml, styles.xml, relations: read whole
DAMAGED = "工作簿内部结构已损坏（{where}）。请用 Excel 或 WPS 打开，另存为新的 xlsx 文件后重新上传。"
DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def damaged(where: str, cause: BaseException | None = None) -> NoReturn:
    """Raise FileRefused F08; `where` is a short Chinese place."""
    refuse("F08", DAMAGED.format(where=where), cause)


class Package:
    """Parts of an Office zip by lower-case name; counts what is unpacked against the limits."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self.limits = limits
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as cause:
            damaged("压缩包不完整，可能没有传完", cause)
        self._parts: dict[str, zipfile.ZipInfo] = {}
        self._index()

    def _index(self) -> None:
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES:
            refuse("F10", f"压缩包内有 {len(infos)} 个条目，超过 {MAX_ENTRIES} 个。请另存为新的 xlsx。")
        for info in infos:
            name = info.filename.replace("\\", "/").lstrip("/").lower()
            if name in self._parts:
                damaged(f"部件 {name} 重复")
            if info.flag_bits & 1:
                refuse("F03", "压缩包设有密码。请取消密码后重新上传。")
            self._parts[name] = info
        self._check_sizes(infos)

    def _check_sizes(self, infos: list[zipfile.ZipInfo]) -> None:
        unpacked = sum(info.file_size for info in infos)
        packed = max(1, sum(info.compress_size for info in infos))
        limits = self.limits
        if unpacked > limits.max_unpacked or (unpacked > limits.ratio_from and unpacked > packed * limits.max_ratio):
            refuse(
                "F10",
                f"文件解压后为 {unpacked // 1048576} MB，是压缩前的 {unpacked // packed} 倍，"
                f"超过上限（{limits.max_unpacked // 1048576} MB、{limits.max_ratio} 倍）。"
                "请删去空白格式行和无关工作表，或分成几个文件上传。",
            )

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._parts

    def names(self) -> list[str]:
        return list(self._parts)

    def open(self, name: str) -> Part:
        """Stream one part. Raises FileRefused (F08) when it is missing or cannot be unpacked."""
        info = self._parts.get(name.lower())
        if info is None:
            damaged(f"缺少部件 {name}")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            damaged(f"部件 {name} 的压缩方式不受支持")
        return Part(self._zip, info, self.limits)

    def xml(self, name: str) -> etree._Element:
        """Parse a small part whole. No entities, no network, no huge trees."""
        with self.open(name) as part:
            data = part.read(SMALL_PART + 1)
        if len(data) > SMALL_PART:
            refuse("F10", f"工作簿的部件 {name} 过大。请另存为新的 xlsx 文件后重新上传。")
        return parse_xml(data, name)

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """{relation id: (kind, part name)} of a part ("" for the package itself)."""
        folder, base = posixpath.split(name)
        path = posixpath.join(folder, "_rels", base + ".rels")
        if path not in self:
            return {}
        found = {}
        for rel in self.xml(path).iterfind("{*}Relationship"):
            if rel.get("TargetMode") == "External":
                continue
            target = rel.get("Target", "").replace("\\", "/")
            full = posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
            found[rel.get("Id", "")] = (rel.get("Type", "").rsplit("/", 1)[-1], full)
        return found


class Part:
    """One part as a stream. `unpacked` beyond the limit or the announced size is a refusal."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> None:
        self.name = info.filename
        self._limits = limits
        self._read = 0
        self._packed = max(1, info.compress_size)
        try:
            self._file = archive.open(info)
        except (zipfile.BadZipFile, OSError, RuntimeError, ValueError) as cause:
            damaged(f"无法打开部件 {self.name}", cause)

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._file.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as cause:
            damaged(f"部件 {self.name} 无法解压", cause)
        self._read += len(data)
        limits = self._limits
        if self._read > limits.ratio_from and (
            self._read > limits.max_unpacked or self._read > self._packed * limits.max_ratio
        ):
            refuse(
                "F10",
                f"部件 {self.name} 解压到 {self._read // 1048576} MB 时已超过上限。"
                "请删去空白格式行和无关工作表，或分成几个文件上传。",
            )
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def strict_parser() -> etree.XMLParser:
    """No entities, no network, no DTD, no huge trees. A new one each time: parsers hold state."""
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_pis=True)


def parse_xml(data: bytes, where: str) -> etree._Element:
    """Bytes → root element. Raises FileRefused: F22 for a DOCTYPE, F08 for bad XML."""
    refuse_doctype(data, where)
    try:
        tree = etree.parse(io.BytesIO(data), strict_parser())
    except (etree.XMLSyntaxError, ValueError) as cause:
        damaged(f"部件 {where} 不是合格的 XML", cause)
    if tree.docinfo.doctype:
        refuse_doctype(b"<!DOCTYPE", where)
    return tree.getroot()


def stream_elements(part: Part, *tags: str) -> Iterator[etree._Element]:
    """Elements of these tags as they end, each cleared after use. Raises FileRefused F08, F22."""
    for event, element in stream_events(part, *tags):
        if event == "end":
            yield element
            forget(element)


def stream_events(part: Part, *tags: str) -> Iterator[tuple[str, etree._Element]]:
    """("start" or "end", element) of these tags; the caller forgets what it has used. Raises FileRefused F08, F22."""
    events = etree.iterparse(
        part, ("start", "end"), tag=tags, resolve_entities=False, no_network=True,
        huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    first = True
    try:
        for event, element in events:
            if first and element.getroottree().docinfo.doctype:
                refuse_doctype(b"<!DOCTYPE", part.name)
            first = False
            yield event, element
    except etree.XMLSyntaxError as cause:
        damaged(f"部件 {part.name} 不是合格的 XML", cause)


def forget(element: etree._Element) -> None:
    """Free an element's memory and that of those before it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def refuse_doctype(data: bytes, where: str) -> None:
    """A workbook never needs a DTD; one that brings it wants entities expanded or fetched."""
    if DOCTYPE.search(data):
        refuse("F22", f"部件 {where} 含有外部定义（DTD），已拒绝。请另存为新的 xlsx 文件后重新上传。")
