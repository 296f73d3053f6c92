"""RLP, the way in which Ethereum writes nested byte strings (yellow paper, appendix B)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mercato.chains.errors import BadCall

DEPTH = 16  # of nested lists; a transaction needs three


def encode(item: bytes | int | Sequence[Any]) -> bytes:
    """Returns bytes, a whole number or nested sequences of these as RLP; numbers without leading zeros."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _prefixed(0x80, item)
    return _prefixed(0xC0, b"".join([encode(part) for part in item]))


def decode(data: bytes) -> Any:
    """Returns bytes or nested lists of bytes; BadCall where the data is not exactly one item in its shortest form."""
    item, end = _item(data, 0, DEPTH)
    if end != len(data):
        raise BadCall(f"RLP was 0x{data[:32].hex()}…, with {len(data) - end} bytes behind its end", hint="cut them off")
    return item


def _prefixed(mark: int, body: bytes) -> bytes:
    if len(body) < 56:
        return bytes([mark + len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([mark + 55 + len(size)]) + size + body


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Returns the item that begins at a place, and where it ends."""
    if at >= len(data) or depth < 0:
        raise BadCall(f"RLP was 0x{data[:32].hex()}…, cut short or nested too deeply", hint="send the whole of it")
    if data[at] < 0x80:
        return data[at : at + 1], at + 1
    begin, end = _body(data, at)
    if data[at] >= 0xC0:
        parts = []
        while begin < end:
            part, begin = _item(data[:end], begin, depth - 1)
            parts.append(part)
        return parts, end
    body = data[begin:end]
    if len(body) == 1 and body[0] < 0x80:
        raise BadCall(f"RLP was 0x{data[:32].hex()}…, not in its shortest form", hint="write small bytes as they are")
    return body, end


def _body(data: bytes, at: int) -> tuple[int, int]:
    """Returns where the content of the item at a place begins and ends."""
    length = data[at] - (0xC0 if data[at] >= 0xC0 else 0x80)
    begin = at + 1
    if length > 55:
        size = data[begin : begin + length - 55]
        begin += length - 55
        length = int.from_bytes(size, "big")
        if length < 56 or size[:1] == b"\0":
            raise BadCall(f"RLP was 0x{data[:32].hex()}…, not in its shortest form", hint="write lengths without zeros")
    if begin + length > len(data):
        raise BadCall(f"RLP was 0x{data[:32].hex()}…, cut short", hint="send the whole of it")
    return begin, begin + length
