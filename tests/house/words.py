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
    yield from (f"{where} names the registry {found!r}" for _, where, found in said(root, REGISTRIES))


def locks_hold_no_addresses(root: Path) -> Iterator[str]:
    for path, where, found in said(root, ADDRESS):
        if path.name.endswith(".lock") or path.parent.name == "requirements":
            yield f"{where} holds the address {found!r}"


def no_stray_words(root: Path) -> Iterator[str]:
    yield from (f"{where} says {found!r}" for _, where, found in said(root, STRAY))


def said(root: Path, words: re.Pattern[str]) -> Iterator[tuple[Path, str, str]]:
    """Every line that says something: its file, its place and what it says. Few do, so whole files are asked first."""
    for path in files(root):
        if path.suffix not in TEXT or path.name == "LICENSE":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if words.search(text):
            for number, line in enumerate(text.splitlines(), start=1):
                if found := words.search(line):
                    yield path, place(root, path, number), found.group()


LAWS = (no_registry_is_named, locks_hold_no_addresses, no_stray_words)
