"""A 64-bit fingerprint of a text: near copies have fingerprints that differ in few bits, and it cannot be read back."""

from __future__ import annotations

import hashlib
import re
import unicodedata

BITS = 64
_NOISE = re.compile(r"https?://\S+|@[\w.\-]+")
_WORD = re.compile(r"[^\W_]+")


def simhash(text: str, fallback: str) -> int:
    """Returns the fingerprint as a signed 64-bit integer.

    Links and accounts are left out, so a copied post with another link keeps its fingerprint. A text without words
    takes that of `fallback` (the document's id), so that empty texts are not copies of each other.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", _NOISE.sub(" ", text)).casefold())
    if not words:
        return _signed(_digest(fallback))
    pieces = {" ".join(words[at : at + 2]) for at in range(max(1, len(words) - 1))} | set(words)
    balance = [0] * BITS
    for piece in sorted(pieces):
        digest = _digest(piece)
        for bit in range(BITS):
            balance[bit] += 1 if digest >> bit & 1 else -1
    return _signed(sum(1 << bit for bit in range(BITS) if balance[bit] > 0))


def distance(first: int, second: int) -> int:
    """Returns in how many of the 64 bits two fingerprints differ."""
    return ((first ^ second) & (1 << BITS) - 1).bit_count()


def _digest(piece: str) -> int:
    return int.from_bytes(hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _signed(value: int) -> int:
    return value - (1 << BITS) if value >> (BITS - 1) else value
