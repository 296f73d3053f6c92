"""The links of a Markdown page, as the docs site and a reader of the repository follow them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
SPAN = re.compile(r"`[^`]*`")
OUTSIDE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a file of the repository: its line, the file it names, and the anchor in it or ''."""

    line: int
    target: Path
    anchor: str


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yields the numbered lines of a page that are not in a fenced block, without code spans."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        if not fenced and not fence:
            yield number, SPAN.sub("", line)
        fenced ^= fence


def links(page: Path) -> list[Link]:
    """Returns the links of a page that stay in the repository."""
    found = []
    for number, line in prose(page.read_text(encoding="utf-8")):
        for address in LINK.findall(line):
            if not OUTSIDE.match(address):
                name, _, anchor = address.partition("#")
                found.append(Link(number, (page.parent / name).resolve() if name else page, anchor))
    return found


def anchors(text: str) -> set[str]:
    """Returns the anchors of a page's headings, spelt as the docs site spells them; a repeat gets `_1`, `_2`."""
    found: set[str] = set()
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else HEADING.match(line)
        if heading:
            words = re.sub(r"[^\w\s-]", "", heading[1].replace("`", "")).strip().lower()
            name = slug = re.sub(r"[-\s]+", "-", words)
            repeat = 0
            while name in found:
                repeat += 1
                name = f"{slug}_{repeat}"
            found.add(name)
    return found


def broken(page: Path, within: Path) -> list[str]:
    """Returns what is wrong with the links of a page: files outside `within` or not there, anchors of no heading."""
    wrong = []
    for link in links(page):
        if not link.target.exists() or not link.target.is_relative_to(within):
            wrong.append(f"line {link.line}: {link.target.name!r} is not there for a reader of {within.name or within}")
        elif link.anchor and link.anchor not in anchors(link.target.read_text(encoding="utf-8")):
            wrong.append(f"line {link.line}: {link.target.name!r} has no heading for '#{link.anchor}'")
    return wrong


def unreachable(start: Path, pages: Sequence[Path]) -> list[Path]:
    """Returns the pages to which no chain of links leads from `start`."""
    seen, waiting = {start}, [start]
    while waiting:
        for link in links(waiting.pop()):
            if link.target.suffix == ".md" and link.target.exists() and link.target not in seen:
                seen.add(link.target)
                waiting.append(link.target)
    return [page for page in pages if page not in seen]
