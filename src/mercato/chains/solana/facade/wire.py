"""Parameters of Solana's JSON-RPC, read strictly, and bytes in the encodings that clients may ask for."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mercato.chains.facade.faults import Fault
from mercato.chains.solana import base58
from mercato.chains.solana.facade.faults import params, request
from mercato.chains.solana.messages import MOST
from mercato.chains.solana.model import Address, Signature
from mercato.core.errors import InvalidInput

COMMITMENTS = ("processed", "confirmed", "finalized")
ENCODINGS = frozenset({"binary", "base58", "base64", "base64+zstd", "jsonParsed"})
BASE58_MOST = 128  # bytes of an account that nodes still write in base 58


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of accounts' data that is wanted."""

    offset: int
    length: int


def argument(given: Sequence[object], place: int, what: str) -> object:
    """Returns a parameter that must be there."""
    if place >= len(given):
        raise params(f"`params` should have at least {place + 1} argument(s): {what}")
    return given[place]


def options(given: Sequence[object], place: int) -> Mapping[str, object]:
    """Returns the object of options at a place, without those that are null; its commitment is checked."""
    found = given[place] if place < len(given) else None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise params(f"Invalid params: options were {shortened(found)}, not an object.")
    commitment = found.get("commitment")
    if commitment is not None and commitment not in COMMITMENTS:
        known = "`processed`, `confirmed`, `finalized`"
        raise params(f"Invalid params: unknown variant {shortened(commitment)}, expected one of {known}.")
    return {name: value for name, value in found.items() if value is not None}


def address(value: object) -> Address:
    """Returns an address."""
    return Address(_base58(value, 32))


def signature(value: object) -> Signature:
    """Returns a signature."""
    return Signature(_base58(value, 64))


def number(value: object, what: str, most: int = 2**64 - 1) -> int:
    """Returns a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise params(f"Invalid params: {what} was {shortened(value)}, not a whole number up to {most}.")
    return value


def flag(given: Mapping[str, object], name: str) -> bool:
    """Returns a truth value of the options, false where it is left out."""
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise params(f"Invalid params: {name} was {shortened(value)}, not true or false.")
    return bool(value)


def items(value: object, what: str, most: int) -> Sequence[object]:
    """Returns a list that is not too long."""
    if not isinstance(value, list):
        raise params(f"Invalid params: {what} was {shortened(value)}, not a list.")
    if len(value) > most:
        raise params(f"Too many inputs provided; max {most}")
    return value


def transaction(value: object, given: Mapping[str, object]) -> bytes:
    """Returns the bytes of a transaction in its encoding: base 58, unless base64 is named."""
    encoding = given.get("encoding", "base58")
    if encoding not in ("base58", "base64"):
        raise params(f"unsupported encoding: {shortened(encoding)}. Supported encodings: base58, base64")
    if not isinstance(value, str):
        raise params(f"Invalid params: transaction was {shortened(value)}, not text.")
    if len(value) > 2 * MOST:
        raise params(f"{encoding} encoded transaction too large: {len(value)} letters (max: raw {MOST} bytes)")
    try:
        return base58.decode(value) if encoding == "base58" else base64.b64decode(value, validate=True)
    except ValueError as error:
        raise params(f"invalid {encoding} encoding: {error}") from None


def encoding(given: Mapping[str, object]) -> str:
    """Returns how accounts are to be written; "binary", bare base 58 text, where nothing is said."""
    found = given.get("encoding", "binary")
    if not isinstance(found, str) or found not in ENCODINGS:
        raise params(
            f"Invalid params: unknown variant {shortened(found)}, expected one of {', '.join(sorted(ENCODINGS))}."
        )
    return found


def part(given: Mapping[str, object]) -> Slice | None:
    """Returns the part of accounts' data that the options want; None for all of it."""
    wanted = given.get("dataSlice")
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise params(f"Invalid params: dataSlice was {shortened(wanted)}, not an object.")
    return Slice(number(wanted.get("offset"), "offset"), number(wanted.get("length"), "length"))


def written(data: bytes, how: str) -> object:
    """Returns bytes in an encoding, beside its name unless it is "binary"."""
    match how:
        case "base64":
            return [base64.b64encode(data).decode(), how]
        case "base64+zstd":
            import zstandard

            return [base64.b64encode(zstandard.ZstdCompressor().compress(data)).decode(), how]
    if len(data) > BASE58_MOST:
        raise _too_long()
    return base58.encode(data) if how == "binary" else [base58.encode(data), how]


def _too_long() -> Fault:
    return request(
        f"Encoded binary (base 58) data should be less than {BASE58_MOST} bytes, please use Base64 encoding."
    )


def _base58(value: object, size: int) -> str:
    if not isinstance(value, str):
        raise params(f"Invalid params: invalid type: {shortened(value)}, expected a string.")
    try:
        return base58.encode(base58.decode(value, size))
    except InvalidInput:
        wrong = set(value) - set(base58.ALPHABET)
        raise params("Invalid param: Invalid" if wrong else "Invalid param: WrongSize") from None


def shortened(value: object) -> str:
    """Returns what a client sent, quoted and not too long."""
    return f"`{str(value)[:60]}`"
