"""Which repositories are whose: rows, and Mercato's own overlay on the taxonomy (`taxonomy.overlay/1`).

The overlay is the package file `overlay.toml`: per project its asset, the ecosystems of the taxonomy that are its own,
and repositories to add or leave out, each with a reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from mercato.core.errors import InvalidInput
from mercato.market.connectors.gitrepo import repository_name
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

PARSER = "taxonomy.overlay/1"
SOURCE = "mercato-overlay"


@dataclass(frozen=True, slots=True)
class Listed:
    """A repository that the overlay adds or leaves out, and why."""

    repository: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProjectEntry:
    """What the overlay says of one project. `asset_id` is '' for a project without a token."""

    name: str
    asset_id: str
    ecosystems: tuple[str, ...]
    add: tuple[Listed, ...]
    remove: tuple[Listed, ...]


def overlay(content: bytes) -> list[ProjectEntry]:
    """Returns the projects of an overlay file. Raises InvalidInput where it is no such file."""
    try:
        found = tomllib.loads(content.decode("utf-8"))
        return [_project(item) for item in found["project"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"the overlay could not be read: {error}", hint="see overlay.toml for the shape") from error


def package_overlay() -> bytes:
    """Returns the overlay that ships with Mercato."""
    return resources.files(__package__).joinpath("overlay.toml").read_bytes()


def taxonomy_projects(entries: Sequence[ProjectEntry]) -> dict[str, dict[str, str]]:
    """Returns what the replay of the taxonomy needs: project, asset and repositories to leave out, by ecosystem."""
    return {
        ecosystem: {
            "project": entry.name,
            "asset_id": entry.asset_id,
            "without": " ".join(repository_name(item.repository) for item in entry.remove),
        }
        for entry in entries
        for ecosystem in entry.ecosystems
    }


def overlay_document(now: datetime, content: bytes | None = None) -> RawDocument:
    """Returns an overlay (the one that ships, unless given) as a raw document."""
    return RawDocument(
        content=package_overlay() if content is None else content,
        source=SOURCE,
        parser=PARSER,
        observed_at=now,
        request="overlay.toml of this release" if content is None else "an overlay file",
        media_type="application/toml",
        licence="Apache-2.0",
    )


@register(PARSER)
def parse_overlay(raw: RawDocument) -> Parsed:
    """Returns REPOSITORIES rows of what the overlay adds."""
    rejected: list[Rejected] = []
    places: dict[tuple[str, str], str] = {}
    try:
        entries = overlay(raw.content)
    except InvalidInput as error:
        return Parsed(tables={"repositories": table(raw, {})}, rejected=(Rejected(0, str(error)),))
    for row, entry in enumerate(entries, start=1):
        for item in entry.add:
            try:
                places[entry.name, repository_name(item.repository)] = entry.asset_id
            except InvalidInput as error:
                rejected.append(Rejected(row, f"{entry.name}: {error}", item.repository[:200]))
    return Parsed(tables={"repositories": table(raw, places)}, rejected=tuple(rejected))


def table(raw: RawDocument, places: Mapping[tuple[str, str], str]) -> pa.Table:
    """Returns REPOSITORIES rows from asset ids by (project, repository), sorted."""
    import pyarrow as pa

    from mercato.market import schema

    sha = raw.sha
    rows = [
        {
            "project": project,
            "repository": repository,
            "asset_id": asset_id or None,
            "source": raw.source,
            "raw_sha": sha,
        }
        for (project, repository), asset_id in sorted(places.items())
    ]
    return pa.Table.from_pylist(rows, schema=schema.REPOSITORIES.to_pyarrow())


def _project(item: Mapping[str, Any]) -> ProjectEntry:
    return ProjectEntry(
        name=str(item["name"]),
        asset_id=str(item.get("asset_id", "")),
        ecosystems=tuple(str(name) for name in item.get("ecosystems", ())),
        add=tuple(Listed(str(one["repository"]), str(one["reason"])) for one in item.get("add", ())),
        remove=tuple(Listed(str(one["repository"]), str(one["reason"])) for one in item.get("remove", ())),
    )
