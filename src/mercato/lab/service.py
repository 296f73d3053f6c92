"""The room as the application sees it: studies that were reported, read from files, and what a team's own launch risks.

A study's results are one JSON file in the data folder's `lab`, named by its configuration; `mercato lab report` puts it
there. Nothing in it was touched since: the file is read as it is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercato.core.errors import NotFound

FOLDER = "lab"
LONGEST = 32 * 2**20
_NAME = re.compile(r"[0-9a-f]{16}")


class Lab:
    """The studies of this installation."""

    def __init__(self, home: Path) -> None:
        """Keeps where the data folder is."""
        self.folder = home / FOLDER

    def publish(self, found: Mapping[str, Any]) -> Path:
        """Keeps a study's results for the pages, in place of older ones of the same configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / f"{name(found)}.json"
        written = place.with_suffix(f".{os.getpid()}.tmp")
        written.write_text(json.dumps(found, sort_keys=True), encoding="utf-8")
        written.replace(place)
        return place

    def studies(self) -> list[dict[str, Any]]:
        """Returns every study's results, those of the most seeds first; what cannot be read as one is left out."""
        found = [body for path in sorted(self.folder.glob("*.json")) if (body := _read(path)) is not None]
        return sorted(found, key=lambda body: (-_seeds(body), name(body)))

    def study(self, wanted: str) -> dict[str, Any]:
        """Returns the results of one study by the first 16 digits of its configuration's hash; NotFound else."""
        found = _read(self.folder / f"{wanted}.json") if _NAME.fullmatch(wanted) else None
        if found is None:
            raise NotFound(f"study was {wanted[:80]!r}", hint="`mercato lab report DIR` shows a study on the pages")
        return found


def name(found: Mapping[str, Any]) -> str:
    """Returns the short name of a study: the first 16 digits of its configuration's hash."""
    return str(found["config_hash"])[:16]


def _seeds(found: Mapping[str, Any]) -> int:
    return int((found["seeds"] or {"n": 0})["n"])


def _read(path: Path) -> dict[str, Any] | None:
    """Returns the results in a file; None where it is none of a study."""
    if not path.is_file() or path.stat().st_size > LONGEST:
        return None
    try:
        body = json.loads(path.read_bytes())
    except ValueError:
        return None
    sound = isinstance(body, dict) and {"config_hash", "seeds", "mechanisms", "retail_fill"} <= set(body)
    return body if sound and body["config_hash"][:16] == path.stem else None
