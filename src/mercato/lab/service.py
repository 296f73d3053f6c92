"""The room as the application sees it: studies that were reported, read from files, and what a team's own launch risks.

A study's results are one JSON file in the data folder's `lab`, named by its configuration; `mercato lab report` puts it
there. The registered study's may ship with the release. Files are read as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mercato.core.errors import NotFound
from mercato.lab.own import mine
from mercato.lab.study import load
from mercato.lab.workers import processes
from mercato.launch import Launch
from mercato.store.jobs import enqueue

if TYPE_CHECKING:
    from mercato.core.clock import Clock
    from mercato.store import Store

FOLDER, OWN = "lab", "own"
LONGEST = 32 * 2**20
#: The job that tries a launch, and for how many seeds.
TRY, SEEDS = "lab.try", 20
#: What the registered study found, shipped with this release by `scripts/publish_study.py`.
REGISTERED = Path(__file__).with_name("registered.json")


class Launches(Protocol):
    """What the lab needs of the launch room."""

    @property
    def store(self) -> Store:
        """Returns the database."""

    @property
    def clock(self) -> Clock:
        """Returns the clock of what happens off the chain."""

    def launch(self, id: str) -> Launch:
        """Returns a launch by its id; NotFound else."""


class Lab:
    """The studies of this installation, and what its launches risk; without `launches` there are none to try."""

    def __init__(self, home: Path, launches: Launches | None = None, registered: Path = REGISTERED) -> None:
        """Keeps where the data folder is, and where the shipped study."""
        self.folder, self._launches, self._registered = home / FOLDER, launches, registered

    def publish(self, found: Mapping[str, Any]) -> Path:
        """Keeps a study's results for the pages, in place of older ones of the same configuration."""
        return _write(self.folder / f"{name(found)}.json", found)

    def studies(self) -> list[dict[str, Any]]:
        """Returns every study's results, those of the most seeds first; what cannot be read as one is left out."""
        read = [_read(self._registered), *(_read(path) for path in sorted(self.folder.glob("*.json")))]
        found = {name(body): body for body in read if body is not None}
        return sorted(found.values(), key=lambda body: (-_seeds(body), name(body)))

    def study(self, wanted: str) -> dict[str, Any]:
        """Returns the results of one study by the first 16 digits of its configuration's hash; NotFound else."""
        found = [body for body in self.studies() if name(body) == wanted]
        if not found:
            raise NotFound(f"study was {wanted[:80]!r}", hint="`mercato lab report DIR` shows a study on the pages")
        return found[0]

    def launch(self, id: str) -> Launch:
        """Returns a launch by its id; NotFound else."""
        if self._launches is None:
            raise NotFound(f"launch was {id[:80]!r}", hint="this installation has no launches")
        return self._launches.launch(id)

    def prospect(self, launch: Launch) -> dict[str, Any] | None:
        """Returns what was worked out for a launch, as `own.mine` gives it; None where nothing was yet."""
        path = self._prospect(launch)
        found: dict[str, Any] | None = json.loads(path.read_bytes()) if path.is_file() else None
        return found

    def ask(self, launch: Launch) -> None:
        """Lets a job work out what a launch risks, once for each application and study."""
        if self._launches is None:
            raise NotFound(f"launch was {launch.id!r}", hint="this installation has no launches")
        key = f"{launch.application.hash}-{load().digest[:16]}"
        with self._launches.store.transaction() as tx:
            enqueue(tx, TRY, {"launch": launch.id}, now=self._launches.clock.now(), key=key, max_tries=3)

    def work_out(self, launch: Launch) -> dict[str, Any]:
        """Works it out, in processes of its own so that pages stay quick, and keeps it for the page."""
        with processes(2) as spread:
            found = mine(load(), launch.application, SEEDS, spread)
        self.keep(launch, found)
        return found

    def keep(self, launch: Launch, found: Mapping[str, Any]) -> None:
        """Keeps what was worked out for a launch."""
        _write(self._prospect(launch), found)

    def _prospect(self, launch: Launch) -> Path:
        return self.folder / OWN / f"{launch.application.hash.removeprefix('0x')}-{load().digest[:16]}.json"


def name(found: Mapping[str, Any]) -> str:
    """Returns the short name of a study: the first 16 digits of its configuration's hash."""
    return str(found["config_hash"])[:16]


def _seeds(found: Mapping[str, Any]) -> int:
    return int((found["seeds"] or {"n": 0})["n"])


def _write(place: Path, found: Mapping[str, Any]) -> Path:
    """Writes JSON so that a reader sees the old file or the new one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    written = place.with_suffix(f".{os.getpid()}.tmp")
    written.write_text(json.dumps(found, sort_keys=True), encoding="utf-8")
    written.replace(place)
    return place


def _read(path: Path) -> dict[str, Any] | None:
    """Returns the results in a file; None where it is none of a study."""
    if not path.is_file() or path.stat().st_size > LONGEST:
        return None
    try:
        body = json.loads(path.read_bytes())
    except ValueError:
        return None
    sound = isinstance(body, dict) and {"config_hash", "seeds", "mechanisms", "retail_fill"} <= set(body)
    return body if sound and path.stem in {body["config_hash"][:16], REGISTERED.stem} else None
