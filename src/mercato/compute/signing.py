"""The key that the gateway signs receipts with, as the installation keeps it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from mercato.compute import guarded
from mercato.compute.books import Signer
from mercato.core.errors import ConfigError

KEY_FILE = "compute.key"


def signer(home: Path) -> Signer:
    """Returns the gateway's signing key, from a file of the data folder that only its owner reads; made if missing."""
    path = home / KEY_FILE
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        part = home / f"{KEY_FILE}.{os.getpid()}.part"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(32).hex())
        with suppress(FileExistsError):  # another worker was first, and its key is everyone's
            os.link(part, path)
        part.unlink()
    text = guarded.read(path, "signing key")
    try:
        return Signer(bytes.fromhex(text.decode().strip()))
    except ValueError:
        raise ConfigError(f"signing key {path} was not readable", hint="restore it, or move it away") from None
