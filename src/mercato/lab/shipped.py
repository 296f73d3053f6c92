"""What the search found for the registered study, shipped so that scoring a few seeds needs no search.

It is used only where the study and the code that plays launches are those it was found with; else a search is made.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from mercato.lab.archive import CONFIG, PLAYED, Archive, code_hash, whole

SHIPPED = "searched.json"


def shipped(config_hash: str) -> dict[tuple[str, str], bytes]:
    """Returns what is shipped for a study; nothing where that is another study's or other code's."""
    return read(Path(str(files("mercato.lab"))) / SHIPPED, config_hash)


def read(path: Path, config_hash: str) -> dict[tuple[str, str], bytes]:
    """Returns the files of a shipped search by mechanism and adversary, as `Archive.searched` keeps them."""
    body: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    if (body.get("config_hash"), body.get("played_hash")) != (config_hash, code_hash(PLAYED)):
        return {}
    return {
        (mechanism, adversary): (json.dumps(found, sort_keys=True) + "\n").encode()
        for mechanism, attacks in body["found"].items()
        for adversary, found in attacks.items()
    }


def ship(archive: Archive, path: Path) -> None:
    """Writes the search of a study's folder as the file to ship. InvalidInput where other code made it."""
    archive.open((archive.folder / CONFIG).read_bytes())
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((archive.folder / "search").glob("*/*.json")):
        found.setdefault(file.parent.name, {})[file.stem] = json.loads(file.read_bytes())
    body = {"config_hash": archive.manifest()["config_hash"], "played_hash": code_hash(PLAYED), "found": found}
    whole(path, (json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n").encode())
