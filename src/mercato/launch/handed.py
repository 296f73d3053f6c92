"""Files that people hand in: applications and scorecards, as TOML or JSON."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from mercato.core.errors import InvalidInput

MOST_OCTETS = 200_000


def read(file: Path) -> dict[str, Any]:
    """Returns what a TOML or JSON file holds; InvalidInput names what was wrong with it."""
    try:
        if file.stat().st_size > MOST_OCTETS:
            raise InvalidInput(f"file {file.name!r} is larger than {MOST_OCTETS} bytes", hint="is it the right one?")
        text = file.read_text(encoding="utf-8")
        body = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InvalidInput(f"file was {str(file)!r}, which cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(
            f"file {file.name!r} was not readable: {error}", hint="write TOML, or JSON in .json"
        ) from None
    if not isinstance(body, dict):
        raise InvalidInput(f"file {file.name!r} holds {type(body).__name__}", hint="expected an object")
    return body
