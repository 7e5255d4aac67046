"""The text of a WARC record: HTTP taken off, encodings undone, characters in UTF-8."""

import codecs
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from .warc_records import Record, header_fields

MAX_PAYLOAD_BYTES = 1 << 30
"""How long the block of a text, and the text decoded, may be."""

NOT_TEXT = "not-text"
"""The content type is none of ``text/*``, XHTML, XML and JSON."""
INVALID_HTTP = "invalid-http"
"""A response whose HTTP header has no beginning or no end."""
UNDECODABLE = "undecodable-text"
"""An encoding or a charset that is unknown, or that the bytes break."""
SEGMENTED = "segmented"
"""A document that its writer spread over several records."""

UNKNOWN_TYPE = "unknown-type"
"""A record of a type that the standard does not name."""

DOCUMENTS = ("conversion", "response", "resource")
"""Types of records that are documents."""

_PIECE_BYTES = 1 << 20
_TEXT_TYPES = ("application/xhtml+xml", "application/xml", "application/json", "")
_HTTP_TYPES = ("application/http", "application/https")
_HTTP_END = re.compile(rb"\r?\n\r?\n")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_TRAILERS = re.compile(rb"(?:[^\r\n:]+:[^\r\n]*\r\n)*(?:\r\n)?")

_AS_BROWSERS_READ = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""Wider charsets that pages with these names are written in: the WHATWG's reading of their labels."""
_NO_CHARSETS = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined")
"""Codecs of Python that are no charsets of documents, some of them slow on long ones."""


Bytes = TypeVar("Bytes", bytes, bytearray)


class Unfit(Exception):
    """A record that is no document.

    Attributes:
        rule: which rule it breaks.
    """

    def __init__(self, rule: str) -> None:
        self.rule = rule


@dataclass(frozen=True)
class Payload:
    """Where the payload of a record starts in its block, and what headers say of it.

    Attributes:
        start: bytes of the block before it.
        content_type: as written, or None.
        codings: encodings to undo, the last one applied first.
    """

    start: int
    content_type: str | None
    codings: tuple[str, ...] = ()


def payload_of(record: Record, block: bytes) -> Payload:
    """Return what the headers say of a record's payload.

    Args:
        record: any but those that are known to be no documents.
        block: its block, or the beginning with all of its HTTP header.

    Raises:
        Unfit: if it is no document.
    """
    if record.type not in DOCUMENTS:
        raise Unfit(UNKNOWN_TYPE)
    if "warc-segment-number" in record.fields:
        raise Unfit(SEGMENTED)
    stated = record.fields.get("content-type")
    is_http = record.type == "response" and (block.startswith(b"HTTP/") if stated is None else _is_http(stated))
    payload = _http(block) if is_http else Payload(0, stated)
    media = _media(payload.content_type or "")
    if media not in _TEXT_TYPES and (not media.startswith("text/") or media == "text/dns"):
        raise Unfit(NOT_TEXT)
    return payload


def text_of(payload: Payload, block: bytes) -> bytes:
    """Return a payload as UTF-8; bytes that are said to be UTF-8, or of which nothing is said, are not checked.

    Raises:
        Unfit: if it cannot be decoded.
    """
    data = block[payload.start :]
    try:
        for coding in payload.codings:
            data = _decoded(data, coding)
        return _as_utf8(data, payload.content_type or "")
    except (LookupError, ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise Unfit(UNDECODABLE) from error


def _media(content_type: str) -> str:
    return re.split("[;,]", content_type)[0].strip().lower()


def _is_http(content_type: str) -> bool:
    return _media(content_type) in _HTTP_TYPES


def _http(block: bytes) -> Payload:
    end = _HTTP_END.search(block)
    if not block.startswith(b"HTTP/") or end is None:
        raise Unfit(INVALID_HTTP)
    fields = header_fields(block[: end.start()].split(b"\n")[1:])
    codings = [fields.get("content-encoding", ""), fields.get("transfer-encoding", "")]
    names = [name.strip().lower() for name in ",".join(codings).split(",")]
    return Payload(end.end(), fields.get("content-type"), tuple(name for name in reversed(names) if name))


def _decoded(data: bytes, coding: str) -> bytes:
    """Undo an encoding. Many crawlers keep its header with a payload that they decoded: that stays as it is."""
    if coding == "identity" or not data:
        return data
    if coding == "chunked":
        return _unchunked(data) if _CHUNK.match(data) else data
    if coding in ("gzip", "x-gzip"):
        return _limited(gzip.GzipFile(fileobj=io.BytesIO(data))) if data.startswith(b"\x1f\x8b") else data
    if coding == "deflate":
        zlib_header = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        return _inflated(data, zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)
    if coding in ("br", "zstd"):
        with pa.CompressedInputStream(pa.BufferReader(data), {"br": "brotli"}.get(coding, coding)) as stream:
            return _limited(stream)
    raise LookupError(coding)


def _unchunked(data: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while size := _CHUNK.match(data, at):
        start, length = size.end(), int(size[1], 16)
        if not length and _TRAILERS.fullmatch(data, start):
            return b"".join(parts)
        parts.append(data[start : start + length])
        if not data.startswith(b"\r\n", start + length):
            break
        at = start + length + 2
    raise ValueError("chunks without an end")


def _inflated(data: bytes, wbits: int) -> bytes:
    stream = zlib.decompressobj(wbits)
    found = _checked(stream.decompress(data, MAX_PAYLOAD_BYTES + 1))
    if not stream.eof:
        raise ValueError("a stream without an end")
    return found


def _limited(stream: Any) -> bytes:
    """Read in pieces: asked for as much as there may be, streams take memory for as much before they read."""
    found = bytearray()
    while piece := stream.read(_PIECE_BYTES):
        found += piece
        _checked(found)
    return bytes(found)


def _checked(data: Bytes) -> Bytes:
    if len(data) > MAX_PAYLOAD_BYTES:
        raise ValueError("a text longer than any that is read")
    return data


def _as_utf8(data: bytes, content_type: str) -> bytes:
    stated = _CHARSET.search(content_type)
    name = codecs.lookup(stated[1]).name if stated else "utf-8"
    name = _AS_BROWSERS_READ.get(name, name)
    if name == "utf-8":
        return data
    if name in _NO_CHARSETS:
        raise LookupError(name)
    return data.decode(name).encode()
