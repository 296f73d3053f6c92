"""The laws of texts: what no file of the repository says. The patterns are written so that this file keeps them."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import CODE, files, place

REGISTRIES = re.compile(r"py[p]i\.org|python[h]osted|npm[j]s\.|jsr[.]io|registry[.]yarn|crates[.]io", re.IGNORECASE)
ADDRESS = re.compile(r"http[s]?://\S+")
STRAY = re.compile(
    r"(?<![\w.])[/]work/|(?<!\w)[.]library\b|sub[a]gent|\bissue[ ]#?[0-9]+|\bTO[D]O\b|\bFIX[M]E\b"
    r"|generated[ ]with|\bas an AI[ ]|lorem[ ]ipsum"
)
TEXT = CODE | {".md", ".toml", ".txt", ".yml", ".yaml", ".cfg", ".ini", ".mako", ".lock", ".json", ".sh", ""}


def no_registry_is_named(root: Path) -> Iterator[str]:
    for path, number, line in lines(root):
        if found := REGISTRIES.search(line):
            yield f"{place(root, path, number)} names the registry {found.group()!r}"


def locks_hold_no_addresses(root: Path) -> Iterator[str]:
    for path, number, line in lines(root):
        lock = path.name.endswith(".lock") or path.parent.name == "requirements"
        if lock and (found := ADDRESS.search(line)):
            yield f"{place(root, path, number)} holds the address {found.group()!r}"


def no_stray_words(root: Path) -> Iterator[str]:
    for path, number, line in lines(root):
        if found := STRAY.search(line):
            yield f"{place(root, path, number)} says {found.group()!r}"


def lines(root: Path) -> Iterator[tuple[Path, int, str]]:
    for path in files(root):
        if path.suffix in TEXT and path.name != "LICENSE":
            text = path.read_text(encoding="utf-8", errors="replace")
            yield from ((path, number, line) for number, line in enumerate(text.splitlines(), start=1))


LAWS = (no_registry_is_named, locks_hold_no_addresses, no_stray_words)
