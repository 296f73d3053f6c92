"""The folder of one study: what was asked, what the search found, and the runs, each file written whole or not at all.

    study.json                                   the configuration's hash and the code's
    study.toml                                   the configuration as it was read
    search/<mechanism>/<adversary>.json          every parameter set tried, with what it took
    runs/<mechanism>/<adversary>/<from>-<to>.jsonl   a record in a line, for a block of seeds

A file that is there is finished. A run that was killed leaves at most a file that nothing reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from mercato.core.errors import InvalidInput
from mercato.lab.records import Record

MANIFEST, CONFIG = "study.json", "study.toml"
#: What plays a launch, and what measures it; what only shows results may change.
PLAYED = (
    "adversaries/*.py",
    "mechanisms/**/*.py",
    "model.py",
    "players.py",
    "run.py",
    "search.py",
    "tape.py",
    "world.py",
)
PARTS = (*PLAYED, "gas.py", "measures.py", "metrics.py", "records.py")


class Archive:
    """The files of a study under one folder."""

    def __init__(self, folder: Path) -> None:
        """Names the folder; nothing is read or written yet."""
        self.folder = folder

    def open(self, raw: bytes) -> None:
        """Begins or goes on with a study. InvalidInput where the folder holds another one, or other code's runs."""
        wanted = {"config_hash": sha256(raw).hexdigest(), "code_hash": code_hash()}
        path = self.folder / MANIFEST
        if path.exists() and (found := self.manifest()) != wanted:
            changed = sorted(key for key in wanted if found.get(key) != wanted[key])
            raise InvalidInput(
                f"{self.folder} holds a study whose {' and '.join(changed)} was another",
                hint="write into another folder, or delete that one",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        whole(self.folder / CONFIG, raw)
        whole(path, (json.dumps(wanted, sort_keys=True) + "\n").encode())

    def manifest(self) -> dict[str, Any]:
        """Returns what the folder's study is. InvalidInput where there is none."""
        path = self.folder / MANIFEST
        if not path.is_file():
            raise InvalidInput(f"{self.folder} was no study", hint="mercato lab run --out writes one")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def searched(self, mechanism: str, adversary: str) -> Path:
        """Returns where the search for an attack is kept."""
        return self.folder / "search" / mechanism / f"{adversary}.json"

    def runs(self, mechanism: str, adversary: str, seeds: range) -> Path:
        """Returns where a block of runs is kept."""
        return self.folder / "runs" / mechanism / adversary / f"{seeds.start}-{seeds.stop}.jsonl"

    def records(self) -> Iterator[Record]:
        """Yields every run that is kept, in order of mechanism, adversary and seed."""
        for attack in sorted((self.folder / "runs").glob("*/*")):
            kept: dict[int, Record] = {}
            for path in sorted(attack.glob("*.jsonl")):
                for line in path.read_text().splitlines():
                    item = Record.of(json.loads(line))
                    kept[item.seed] = item
            yield from (kept[seed] for seed in sorted(kept))


def whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all, through crashes as well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def code_hash(parts: tuple[str, ...] = PARTS) -> str:
    """Returns the SHA-256 over sources: all that runs are made of, with the launch's mathematics, or parts of it."""
    lab, launch = Path(str(files("mercato.lab"))), Path(str(files("mercato.launch")))
    found = {path.relative_to(lab).as_posix(): path for part in parts for path in lab.glob(part)}
    found |= {f"launch/{name}": launch / name for name in ("clearing.py", "pool.py")}
    digest = sha256()
    for name in sorted(found):
        content = found[name].read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
