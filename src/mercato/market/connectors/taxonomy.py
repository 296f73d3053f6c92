"""Which repositories belong to whom: the migrations of Open Dev Data, replayed (`taxonomy.migrations/1`).

A migration is a text file whose name begins with its date; each line is one of eight commands. They are replayed in
the order of their names, up to a date if wanted, so the answer for any past day can be had. Unlike upstream, a line
that cannot be done is rejected with its place and the rest goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mercato.core.errors import InvalidInput
from mercato.market.connectors.gitrepo import repository_name
from mercato.market.connectors.repositories import overlay_document, parse_overlay
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument, Rejected

__all__ = [
    "ATTRIBUTION",
    "Taxonomy",
    "document",
    "overlay_document",
    "parse",
    "parse_overlay",
    "read_migrations",
    "replay",
]

PARSER = "taxonomy.migrations/1"
SOURCE = "open-dev-data"
ATTRIBUTION = "Open Dev Data by Electric Capital, CC BY 4.0, https://github.com/electric-capital/open-dev-data"
LARGEST = 2_000_000_000
_NAME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])[0-5]\d[0-5]\d")
_TOKEN = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|((?:\\.|[^\s\\])+))""")


@dataclass(slots=True, eq=False)
class Ecosystem:
    """A named group of repositories and of other ecosystems."""

    name: str
    repositories: set[int] = field(default_factory=set)
    children: dict[str, Ecosystem] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)


class Taxonomy:
    """What the commands so far have made. Each command raises ValueError with the reason where it cannot be done."""

    def __init__(self) -> None:
        self.ecosystems: dict[str, Ecosystem] = {}
        self._ids: dict[str, int] = {}
        self._urls: dict[int, str] = {}
        self._homes: dict[int, set[str]] = {}
        self._commands: dict[str, tuple[Callable[..., None], int, int]] = {
            "ecoadd": (self.add, 1, 1),
            "ecorem": (self.remove, 1, 1),
            "ecomov": (self.rename, 2, 2),
            "ecocon": (self.connect, 2, 2),
            "ecodis": (self.disconnect, 2, 2),
            "repadd": (self.add_repository, 2, 99),
            "reprem": (self.remove_repository, 2, 2),
            "repmov": (self.rename_repository, 2, 2),
        }

    def do(self, line: str) -> None:
        """Carries out one line. Blank lines and comments (`#`, `--`) do nothing."""
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", "--")):
            return
        keyword, rest = line[:6], line[6:]
        if keyword not in self._commands:
            raise ValueError(f"the command was {keyword!r}, expected one of {', '.join(sorted(self._commands))}")
        command, least, most = self._commands[keyword]
        words = tokens(rest)
        if not least <= len(words) <= most:
            raise ValueError(f"{keyword} had {len(words)} words, expected {least if least == most else f'{least}+'}")
        command(*words)

    def add(self, name: str) -> None:
        """Adds an ecosystem; one that is there stays as it is."""
        self.ecosystems.setdefault(name, Ecosystem(name))

    def remove(self, name: str) -> None:
        """Removes an ecosystem and its connections; its repositories go with it."""
        gone = self._known(name)
        del self.ecosystems[name]
        for parent in gone.parents & set(self.ecosystems):
            self.ecosystems[parent].children.pop(name, None)
        for child in gone.children.values():
            child.parents.discard(name)
        for repository in gone.repositories:
            self._homes[repository].discard(name)

    def rename(self, old: str, new: str) -> None:
        """Gives an ecosystem another name."""
        moved = self._known(old)
        if new in self.ecosystems:
            raise ValueError(f"ecosystem {new!r} is there already")
        self.ecosystems[new] = self.ecosystems.pop(old)
        moved.name = new
        for parent in moved.parents:
            self.ecosystems[parent].children[new] = self.ecosystems[parent].children.pop(old)
        for child in moved.children.values():
            child.parents = (child.parents - {old}) | {new}
        for repository in moved.repositories:
            self._homes[repository] = (self._homes[repository] - {old}) | {new}

    def connect(self, parent: str, child: str) -> None:
        """Makes one ecosystem part of another."""
        above, below = self._known(parent), self._known(child)
        above.children[child] = below
        below.parents.add(parent)

    def disconnect(self, parent: str, child: str) -> None:
        """Undoes `connect`."""
        above, below = self._known(parent), self._known(child)
        above.children.pop(child, None)
        below.parents.discard(parent)

    def add_repository(self, name: str, url: str, *tags: str) -> None:
        """Puts a repository into an ecosystem. Tags are not used here."""
        home = self._known(name)
        key = self._ids.setdefault(url, len(self._ids) + len(self._urls) + 1)
        self._urls[key] = url
        home.repositories.add(key)
        self._homes.setdefault(key, set()).add(name)

    def remove_repository(self, name: str, url: str) -> None:
        """Takes a repository out of an ecosystem."""
        home = self._known(name)
        if url not in self._ids:
            raise ValueError(f"repository {url!r} is unknown")
        home.repositories.discard(self._ids[url])
        self._homes[self._ids[url]].discard(name)

    def rename_repository(self, old: str, new: str) -> None:
        """Gives a repository another address everywhere; two of the same address become one."""
        if old not in self._ids:
            raise ValueError(f"repository {old!r} is unknown")
        if old == new:
            return
        key = self._ids.pop(old)
        if new not in self._ids:
            self._ids[new], self._urls[key] = key, new
            return
        kept = self._ids[new]
        del self._urls[key]
        for name in self._homes.pop(key):
            self.ecosystems[name].repositories.discard(key)
            self.ecosystems[name].repositories.add(kept)
            self._homes.setdefault(kept, set()).add(name)

    def repositories(self, name: str, *, deep: bool = True) -> list[str]:
        """Returns the addresses in an ecosystem and, with `deep`, in those that are part of it; sorted."""
        seen, waiting, found = set(), [self._known(name)], set()
        while waiting:
            here = waiting.pop()
            if here.name in seen:
                continue
            seen.add(here.name)
            found |= here.repositories
            waiting += list(here.children.values()) if deep else []
        return sorted(self._urls[key] for key in found)

    def _known(self, name: str) -> Ecosystem:
        if name not in self.ecosystems:
            raise ValueError(f"ecosystem {name!r} is unknown")
        return self.ecosystems[name]


def tokens(text: str) -> list[str]:
    """Returns the words of a command: separated by blanks, or within quotes; a backslash takes the next sign as it is.

    Raises ValueError where a quote is not closed.
    """
    if not any(sign in text for sign in "\"'\\"):
        return text.split()
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or (match.group(3) or "").startswith(('"', "'")):
            raise ValueError("a quote was not closed")
        word = next(group for group in match.groups() if group is not None)
        found.append(re.sub(r"\\(.)", r"\1", word))
        at = match.end()
    return found


def read_migrations(folder: Path, until: str = "") -> Iterator[tuple[str, str]]:
    """Yields name and text of the migrations of a folder in order, those before `until` (a date) only.

    Raises InvalidInput where the folder holds none.
    """
    names = sorted(path.name for path in folder.iterdir() if _NAME.match(path.name)) if folder.is_dir() else []
    if not names:
        raise InvalidInput(
            f"folder {str(folder)!r} held no migration", hint="give the `migrations` folder of a clone of Open Dev Data"
        )
    for name in sorted(names, key=lambda name: (name[:19], name)):
        path = folder / name
        if (until and name >= until) or path.is_symlink() or not path.is_file():
            continue
        yield name, path.read_bytes().decode("utf-8", "replace")


def document(
    folder: Path, projects: Mapping[str, Mapping[str, str]], now: datetime, until: str = "", commit: str = ""
) -> RawDocument:
    """Returns the migrations of a folder as one raw document. `projects` are project and asset_id by ecosystem."""
    lines = [json.dumps({"name": name, "text": text}) for name, text in read_migrations(folder, until)]
    content = "".join(f"{line}\n" for line in lines).encode()
    if len(content) > LARGEST:
        raise InvalidInput(f"the migrations had {len(content)} bytes, more than {LARGEST}")
    return RawDocument(
        content=content,
        source=SOURCE,
        parser=PARSER,
        observed_at=now,
        request=f"migrations of {SOURCE} {commit}".strip() + (f" before {until}" if until else ""),
        media_type="application/x-ndjson",
        licence=ATTRIBUTION,
        options={"projects": json.dumps(projects, sort_keys=True), "until": until},
    )


def replay(lines: Sequence[bytes], rejected: list[Rejected]) -> Taxonomy:
    """Returns what the migrations made; lines that could not be done are added to `rejected`."""
    taxonomy = Taxonomy()
    for row, raw in enumerate(lines, start=1):
        try:
            migration = json.loads(raw)
            name, text = str(migration["name"]), str(migration["text"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            text = raw[:200].decode("utf-8", "replace")
            rejected.append(Rejected(row, f"the migration could not be read: {error}", text))
            continue
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                taxonomy.do(line)
            except ValueError as error:
                rejected.append(Rejected(row, f"{name} line {number}: {error}", line[:200]))
    return taxonomy


@register(PARSER)
def parse(raw: RawDocument) -> Parsed:
    """Returns REPOSITORIES rows of the ecosystems that the options name. Ecosystems that are not there are rejected."""
    from mercato.market.connectors.repositories import table

    rejected: list[Rejected] = []
    taxonomy = replay([line for line in raw.content.split(b"\n") if line.strip()], rejected)
    places: dict[tuple[str, str], str] = {}
    for ecosystem, project in sorted(json.loads(raw.options["projects"]).items()):
        if ecosystem not in taxonomy.ecosystems:
            rejected.append(Rejected(0, f"ecosystem {ecosystem!r} is not in these migrations"))
            continue
        for url in taxonomy.repositories(ecosystem):
            try:
                name = repository_name(url)
            except InvalidInput as error:
                rejected.append(Rejected(0, f"{ecosystem}: {error}", url[:200]))
                continue
            if name not in project.get("without", "").split():
                places[project["project"], name] = project.get("asset_id", "")
    return Parsed(tables={"repositories": table(raw, places)}, rejected=tuple(rejected))
