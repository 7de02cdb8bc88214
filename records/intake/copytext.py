"""The text format of COPY: one home for its escapes."""

import json
from json.encoder import encode_basestring as quoted

__all__ = ["NOTHING", "encode", "escape", "quoted"]

NOTHING = "\\N"
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def escape(text: str) -> str:
    """Return a text as a column of a COPY line."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text
