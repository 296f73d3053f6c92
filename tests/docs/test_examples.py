"""Every example in the README and the docs runs, and prints what the page says."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks, commands, matches, relative, run

LANGUAGES = {"", "text", "toml", "json", "csv", "html", "python", "console", "sh"}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_block_is_of_a_kind_that_is_checked_or_excused(page: Path) -> None:
    found = blocks(page.read_text())

    unknown = [(block.line, block.language) for block in found if block.language not in LANGUAGES]
    silent = [block.line for block in found if block.language == "sh" and not block.excused]

    assert unknown == [], f"use one of {sorted(LANGUAGES)}"
    assert silent == [], "a shell block that is not run needs `<!-- not run: reason -->` above it"


def _runnable(page: Path) -> list[Block]:
    return [b for b in blocks(page.read_text()) if b.language in {"python", "console"} and not b.excused]


def _check(block: Block, folder: Path, home: Path) -> list[str]:
    """Returns what differs between a block and what running it gives."""
    if block.language == "python":
        done = run([sys.executable, "-c", block.text], folder, home)
        return [] if done.returncode == 0 else [f"line {block.line}: exit {done.returncode}\n{done.stdout}"]
    wrong = []
    for command, expected in commands(block.text):
        done = run(["bash", "-c", command], folder, home)
        if not matches(expected, done.stdout) or (done.returncode and not expected):
            wrong.append(f"line {block.line}: $ {command}\nexpected:\n{expected}\nwas:\n{done.stdout}")
    return wrong


@pytest.mark.parametrize("page", [page for page in PAGES if _runnable(page)], ids=relative)
def test_every_example_of_a_page_runs_as_written(page: Path, tmp_path: Path) -> None:
    folder, home = tmp_path / "work", tmp_path / "home"
    shutil.copytree(ROOT / "docs" / "examples", folder)
    home.mkdir()

    wrong = [text for block in _runnable(page) for text in _check(block, folder, home)]

    assert wrong == [], "\n".join(wrong)
