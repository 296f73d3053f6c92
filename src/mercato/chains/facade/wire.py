"""JSON-RPC's way of writing numbers, bytes, addresses and blocks, read strictly: what nodes refuse is refused here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from mercato.chains.facade.faults import PARAMS, Fault
from mercato.chains.model import Address, Hash

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_BLANK = re.compile(r"\s")  # which Python would skip
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
NEWEST = frozenset({"latest", "pending", "safe", "finalized"})


@dataclass(frozen=True, slots=True)
class Place:
    """A block as a client names it: by hash, by number, or with neither the newest."""

    number: int | None = None
    hash: Hash | None = None


def quantity(value: int) -> str:
    """Returns a whole number as JSON-RPC writes it."""
    return hex(value)


def hexed(value: bytes) -> str:
    """Returns bytes as JSON-RPC writes them."""
    return "0x" + value.hex()


def integer(value: object, what: str) -> int:
    """Returns a quantity; Fault where it is none, such as 0x007."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Fault(PARAMS, f"invalid argument: {what} was {value!r:.80}, not a quantity such as 0x1f")
    return int(value, 16)


def octets(value: object, what: str) -> bytes:
    """Returns bytes; Fault where the text has an odd number of digits, or is no hexadecimal text."""
    if isinstance(value, str) and value.startswith("0x") and not _BLANK.search(value):
        with suppress(ValueError):
            return bytes.fromhex(value[2:])
    raise Fault(PARAMS, f"invalid argument: {what} was {value!r:.80}, not hexadecimal bytes")


def address(value: object, what: str = "address") -> Address:
    """Returns an address in lower case."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise Fault(PARAMS, f"invalid argument: {what} was {value!r:.80}, not 0x and 40 hexadecimal digits")
    return Address(value.lower())


def hash32(value: object, what: str = "hash") -> Hash:
    """Returns a hash in lower case."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Fault(PARAMS, f"invalid argument: {what} was {value!r:.80}, not 0x and 64 hexadecimal digits")
    return Hash(value.lower())


def place(value: object) -> Place:
    """Returns a block's place: a tag, a number, or an object with one of blockNumber and blockHash (EIP-1898)."""
    match value:
        case None:
            return Place()
        case {"blockHash": found}:
            return Place(hash=hash32(found, "blockHash"))
        case {"blockNumber": found}:
            return place(found)
        case str() if value in NEWEST:
            return Place()
        case "earliest":
            return Place(number=0)
        case _:
            return Place(number=integer(value, "block"))


def flag(value: object, what: str) -> bool:
    """Returns a truth value."""
    if not isinstance(value, bool):
        raise Fault(PARAMS, f"invalid argument: {what} was {value!r:.80}, not true or false")
    return value


def fields(value: object, what: str) -> Mapping[str, object]:
    """Returns an object's members."""
    if not isinstance(value, dict):
        raise Fault(PARAMS, f"invalid argument: {what} was {value!r:.80}, not an object")
    return value


def items(value: object, what: str) -> Sequence[object]:
    """Returns a list's items."""
    if not isinstance(value, list):
        raise Fault(PARAMS, f"invalid argument: {what} was {value!r:.80}, not a list")
    return value
