"""Files that hold a secret: read as they lie, and only where nobody but their owner can."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mercato.core.errors import ConfigError

OTHERS = stat.S_IRWXG | stat.S_IRWXO
MOST = 64 * 1024


def read(path: Path, what: str, *, links: bool = True) -> bytes:
    """Returns what is in a file, up to 64 KiB of it, `what` being its name for people; FileNotFoundError where there is
    none. ConfigError where others may read it or it cannot be read, or, without `links`, where it is a link."""
    flags = os.O_RDONLY | (0 if links else getattr(os, "O_NOFOLLOW", 0))
    try:
        with open(os.open(path, flags), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode  # of what was opened, whatever lies there by now
            text = file.read(MOST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{what} {str(path)!r} was not readable: {error.strerror}", hint="a plain file") from None
    if mode & OTHERS:
        raise ConfigError(f"{what} {str(path)!r} was open to others, mode {mode & 0o777:o}", hint="chmod 600 it")
    return text
