"""Keeps the list of repositories that are followed, and reads their new commits into the market."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput, MercatoError, NotFound
from mercato.market.connectors.git import Project, Reader
from mercato.market.connectors.gitcli import Git
from mercato.market.connectors.gitrepo import Progress, source
from mercato.market.model import RawDocument, Receipt

KEPT = "builders"


class Room(Protocol):
    """What is needed of the market: to take documents, and to remember the list."""

    def ingest(self, raw: RawDocument) -> Receipt:
        """Commits a raw document; one that is known already changes nothing."""

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what was saved under that name, or an empty mapping."""

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under that name."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A repository that is followed: its id, where it is read from, whose it is."""

    repository: str
    address: str
    project: str
    asset_id: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one repository. `error` is '' where it was read; `commits` counts new ones."""

    repository: str
    project: str
    commits: int = 0
    refs: int = 0
    flags: Sequence[str] = ()
    error: str = ""
    hint: str = ""


class Builders:
    """The repositories that are followed. `home` is the data folder; clones are kept under `home/git`."""

    def __init__(self, room: Room, home: Path, clock: Clock, git: Git | None = None) -> None:
        self._room, self._clock = room, clock
        self._reader = Reader(home / "git", clock.now, git)

    def followed(self) -> list[Followed]:
        """Returns the list, by project and repository."""
        kept = self._room.load(KEPT).get("repositories", [])
        return sorted((Followed(**item) for item in kept), key=lambda item: (item.project, item.repository))

    def add(self, address: str, project: str, asset_id: str = "", name: str = "") -> Followed:
        """Puts a repository on the list, or changes whose it is. `name` is the https address of a local clone."""
        if not project.strip():
            raise InvalidInput(f"project was {project!r}", hint="name the project, such as --project elizaos")
        what = source(address, name)
        item = Followed(what.name, what.address, project.strip(), asset_id)
        others = [other for other in self.followed() if other.repository != item.repository]
        self._room.save(KEPT, {"repositories": [asdict(other) for other in [*others, item]]})
        return item

    def remove(self, repository: str) -> None:
        """Takes a repository off the list. What was read of it stays. NotFound where it is not on it."""
        kept = [item for item in self.followed() if repository not in (item.repository, item.address)]
        if len(kept) == len(self.followed()):
            raise NotFound(f"repository was {repository!r}, which is not followed", hint="see: builders list")
        self._room.save(KEPT, {"repositories": [asdict(item) for item in kept]})

    def fetch(
        self,
        wanted: Callable[[Followed], bool] = lambda item: True,
        progress: Progress | None = None,
        told: Callable[[Fetched], None] = lambda done: None,
    ) -> list[Fetched]:
        """Reads the new commits of the repositories that are wanted; one that fails does not stop the others."""
        done = []
        for item in filter(wanted, self.followed()):
            try:
                found = self._one(item, progress)
            except MercatoError as error:
                found = Fetched(item.repository, item.project, error=error.message, hint=error.hint)
            told(found)
            done.append(found)
        return done

    def _one(self, item: Followed, progress: Progress | None) -> Fetched:
        what = source(item.address, "" if item.repository.startswith("file:") else item.repository)
        with self._reader.read(what, Project(item.project, item.asset_id), progress) as reading:
            for document in reading.documents:
                self._room.ingest(document)
        return Fetched(item.repository, item.project, reading.commits, len(reading.tips.refs), tuple(reading.flags))
