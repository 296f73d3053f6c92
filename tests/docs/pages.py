"""Reads the code blocks of a Markdown page and runs them as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/AGENTS.md")])
FENCE = re.compile(r"^```(\w*)\s*$")
NOT_RUN = re.compile(r"^<!-- not run: .{10,} -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, first line in the page, text, and whether the page excuses it from running."""

    language: str
    line: int
    text: str
    excused: bool


def relative(page: Path) -> str:
    """Returns how a page is named in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: str) -> list[Block]:
    """Returns the fenced blocks of a page, in order."""
    found: list[Block] = []
    language, start, before = "", 0, ""
    lines: list[str] = []
    inside = False
    for number, line in enumerate(page.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and not inside:
            inside, language, start, lines = True, fence[1], number, []
        elif inside and line.rstrip() == "```":
            found.append(Block(language, start, "\n".join(lines), bool(NOT_RUN.match(before))))
            inside, before = False, ""
        elif inside:
            lines.append(line)
        elif line.strip():
            before = line.strip()
    return found


def commands(text: str) -> list[tuple[str, str]]:
    """Returns (command, expected output) pairs of a console block; a command line starts with `$ `."""
    pairs: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            pairs.append((line[2:], []))
        elif pairs:
            pairs[-1][1].append(line)
    return [(command, "\n".join(output).strip()) for command, output in pairs]


def matches(expected: str, actual: str) -> bool:
    """Returns whether the output is as the page says; `...` stands for any text, trailing spaces do not count."""
    pattern = ".*?".join(re.escape(part) for part in expected.split("..."))
    squeezed = "\n".join(line.rstrip() for line in actual.strip().splitlines())
    return re.fullmatch(pattern, squeezed, re.DOTALL) is not None


def environment(home: Path) -> dict[str, str]:
    """Returns the environment of a new user: our commands on the path, an own data folder, a plain wide terminal."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "JAVA_HOME") if key in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "PATH": path, "HOME": str(home), "MERCATO_HOME": str(home), "COLUMNS": "120", "NO_COLOR": "1"}


def run(command: list[str], folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Returns the finished command; standard error is part of the output, as on a terminal."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(home),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
