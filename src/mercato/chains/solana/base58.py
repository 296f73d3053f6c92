"""Base 58 as Solana writes addresses, signatures and hashes (Bitcoin's alphabet, without a checksum)."""

from __future__ import annotations

from functools import lru_cache

from mercato.core.errors import InvalidInput

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
LONGEST = 4096  # letters; the work grows with their square


@lru_cache(maxsize=4096)  # the same addresses come again and again
def encode(value: bytes) -> str:
    """Returns bytes as text; each zero byte at the start becomes a 1."""
    number, letters = int.from_bytes(value, "big"), []
    while number:
        number, place = divmod(number, 58)
        letters.append(ALPHABET[place])
    zeros = len(value) - len(value.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(letters))


def decode(text: str, size: int | None = None) -> bytes:
    """Returns the bytes of a text; InvalidInput where it is no base 58, or not of `size` bytes."""
    if len(text) > LONGEST or not _VALUES.keys() >= set(text):
        raise InvalidInput(f"base 58 text was {text[:80]!r}", hint="letters and digits without 0, O, I and l")
    number = 0
    for letter in text:
        number = number * 58 + _VALUES[letter]
    zeros = len(text) - len(text.lstrip("1"))
    found = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if size is not None and len(found) != size:
        raise InvalidInput(f"base 58 text was {text[:100]!r}, which is {len(found)} bytes", hint=f"expected {size}")
    return found
