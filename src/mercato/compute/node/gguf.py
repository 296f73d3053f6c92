"""What a GGUF file says of its tokenizer and its chat template, read from its beginning; tensors are not looked at.

The form is that of the format's specification (ggml-org/ggml, docs/gguf.md, versions 2 and 3, little-endian): magic,
version, number of tensors, number of pairs, then each pair as a name, a kind and a value.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from mercato.core.errors import ConfigError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # octets of each kind of number
TEXT, LIST = 8, 9
MOST_PAIRS = 100_000
TOKENIZER, TEMPLATE = b"tokenizer.", b"tokenizer.chat_template"


def begins(path: Path) -> bool:
    """Whether a file says of itself that it is of this form."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def texts(path: Path) -> tuple[str, str]:
    """Returns the hash of a file's tokenizer, and its chat template as text; "" for either where it has none.

    The tokenizer's is the SHA-256 of all pairs named `tokenizer.…` but for chat templates, sorted by name, each as it
    lies in the file. ConfigError where the file is no GGUF that can be read.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            pairs = {name: octets[start:end] for name, start, end in _pairs(octets) if name.startswith(TOKENIZER)}
    except (OSError, ValueError, struct.error, RecursionError) as error:
        raise ConfigError(f"file {str(path)!r} was no GGUF that can be read: {error}", hint="look at it") from None
    template = pairs.get(TEMPLATE, b"")[_PAIR.size + len(TEMPLATE) + _COUNT.size :]
    rest = sorted(name for name in pairs if not name.startswith(TEMPLATE))
    tokenizer = hashlib.sha256(b"".join(pairs[name] for name in rest)).hexdigest() if rest else ""
    return tokenizer, template.decode(errors="replace")


_HEAD, _COUNT, _PAIR = struct.Struct("<4sIQQ"), struct.Struct("<Q"), struct.Struct("<QI")


def _pairs(octets: mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """Yields the name of each pair, and where it begins and ends."""
    magic, version, _, count = _HEAD.unpack_from(octets)
    if magic != MAGIC or version not in VERSIONS or count > MOST_PAIRS:
        raise ValueError(f"its first octets were {magic!r}, version {version}, {count} pairs")
    at = _HEAD.size
    for _ in range(count):
        start, (length,) = at, _COUNT.unpack_from(octets, at)
        at += _COUNT.size
        name = octets[at : at + length]
        (kind,) = struct.unpack_from("<I", octets, at + length)
        at = _after(octets, at + length + 4, kind)
        if at > len(octets):
            raise ValueError("it breaks off")
        yield name, start, at


def _after(octets: mmap.mmap, at: int, kind: int) -> int:
    """Returns where a value of a kind ends that begins here."""
    if kind in SIZES:
        return at + SIZES[kind]
    if kind == TEXT:
        return at + _COUNT.size + int(_COUNT.unpack_from(octets, at)[0])
    if kind != LIST:
        raise ValueError(f"a value was of the kind {kind}")
    inner, count = struct.unpack_from("<IQ", octets, at)
    at += 4 + _COUNT.size
    if inner in SIZES:
        return at + SIZES[inner] * int(count)
    for _ in range(count):
        at = _after(octets, at, inner)
    return at
