"""Reading a body that may be too large, cut short, or a bomb that grows when it is unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

import httpx

from mercato.market.connectors.errors import UnsafeAnswer

STEP = 65_536


def read_body(parts: Iterable[bytes], headers: Mapping[str, str], limit: int) -> bytes:
    """Returns the unpacked body, at most `limit` bytes before and after unpacking.

    Raises UnsafeAnswer where it is larger, or packed in a way that was not asked for; httpx.DecodingError where
    gzip ends too early or is broken (asking again may help).
    """
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    packing = headers.get("content-encoding", "identity").strip().lower()
    if packing in ("", "identity"):
        return _plain(parts, limit)
    if packing in ("gzip", "x-gzip"):
        return _unzipped(parts, limit)
    raise UnsafeAnswer(f"the body was packed as {packing!r}", hint="only gzip was asked for")


def too_large(limit: int) -> UnsafeAnswer:
    """Returns the error of a body over the limit."""
    return UnsafeAnswer(
        f"the body was larger than {limit} bytes", hint="nothing of it was kept; raise max_bytes if this is expected"
    )


def _plain(parts: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def _unzipped(parts: Iterable[bytes], limit: int) -> bytes:
    unpack = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    body, packed = bytearray(), 0
    for part in parts:
        packed += len(part)
        more = True
        while more:
            try:
                piece = unpack.decompress(part, STEP)
            except zlib.error as error:
                raise httpx.DecodingError("the gzip body was broken") from error
            body += piece
            if max(len(body), packed) > limit:
                raise too_large(limit)
            part = unpack.unconsumed_tail
            more = bool(part) or len(piece) == STEP  # zlib may still hold output when all input is taken
    if not unpack.eof:
        raise httpx.DecodingError("the gzip body ended before its end mark")
    return bytes(body)
