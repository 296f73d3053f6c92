"""Which weights are served: the hash of the files, and whether the upstream speaks of the same ones.

A file's hash is the SHA-256 of its octets, as hosts of models publish it. A folder of shards has the SHA-256 of a list
of its files in the form of `sha256sum`: hash, two spaces, name, a line each, sorted by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from mercato.core.errors import ConfigError
from mercato.core.events import Json

SHARDS = ("*.safetensors", "*.gguf", "*.bin", "*.pt")
SLACK = 100  # tensors may be a hundredth smaller than their file, and no larger
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def hashed(path: Path) -> str:
    """Returns the hash of a model's file or folder; ConfigError where there are no weights."""
    if path.is_file():
        return _file(path)
    shards = sorted({shard for pattern in SHARDS for shard in path.glob(pattern)}, key=lambda shard: shard.name)
    if not shards:
        raise ConfigError(f"weights were {str(path)!r}", hint=f"a file, or a folder with {', '.join(SHARDS)}")
    listed = "".join(f"{_file(shard)}  {shard.name}\n" for shard in shards)
    return hashlib.sha256(listed.encode()).hexdigest()


def octets(path: Path) -> int:
    """Returns how large a model's file is, or all files of its folder that hold weights."""
    shards = [path] if path.is_file() else [shard for pattern in SHARDS for shard in path.glob(pattern)]
    return sum(shard.stat().st_size for shard in shards)


def told(entry: Mapping[str, Json]) -> str:
    """Returns the hash that an upstream tells of a model in `/v1/models`, or ""."""
    for name in ("digest", "sha256"):
        if (said := entry.get(name)) and (found := _DIGEST.fullmatch(str(said))):
            return found[1]
    return ""


def contradiction(entry: Mapping[str, Json], path: Path | None, hash: str) -> str:
    """Returns why an upstream's entry in `/v1/models` cannot be of these weights, or "".

    Looked at: a hash (`digest`), the folder that vLLM names (`root`), and the size that llama.cpp names (`meta.size`).
    """
    digest = told(entry)
    if digest and hash and digest != hash:
        return f"it says that its weights are {digest}"
    root = entry.get("root")
    if path is not None and isinstance(root, str) and root.startswith("/") and Path(root) != path.absolute():
        return f"it serves {root!r}, not {str(path)!r}"
    meta = entry.get("meta")
    size = meta.get("size") if isinstance(meta, dict) else None
    if path is not None and isinstance(size, int):
        have = octets(path)
        if not have - have // SLACK <= size <= have:
            return f"its tensors have {size} octets, the file {have}"
    return ""


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"weights {str(path)!r} were not readable: {error.strerror}", hint="a file") from None
