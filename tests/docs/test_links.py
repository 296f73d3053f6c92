"""A reader who starts at the index reaches every page of the docs, and no link leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.links import anchors, broken, links, unreachable
from tests.docs.pages import PAGES, ROOT, relative

DOCS = ROOT / "docs"
SITE = sorted(DOCS.glob("**/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    # The site holds nothing from outside docs/, so a link out of it would be dead there.
    assert broken(page, DOCS if page in SITE else ROOT) == []


def test_every_page_of_the_docs_is_reached_from_the_index() -> None:
    lost = unreachable(DOCS / "index.md", SITE)

    assert [relative(page) for page in lost] == [], "link it from docs/index.md or docs/decisions/index.md"


def planted(folder: Path) -> Path:
    """A small site with one good link of each kind and one bad of each kind."""
    (folder / "docs").mkdir()
    (folder / "outside.md").write_text("# Outside\n")
    (folder / "docs" / "lost.md").write_text("# Lost\n")
    (folder / "docs" / "lamps.md").write_text("# Lamps & `oil`\n\n## Wicks\n\n## Wicks\n\n```text\n# no heading\n```\n")
    page = folder / "docs" / "index.md"
    page.write_text(
        "[here](#an-index) [lamps](lamps.md#lamps-oil) [again](lamps.md#wicks_1) [web](https://mercato.example)\n\n"
        "# An index\n\n`[not](a-link.md)`\n\n```text\n[nor](this.md)\n```\n\n"
        "[gone](gone.md) [code](lamps.md#no-heading) [out](../outside.md)\n"
    )
    return page


def test_dead_links_are_found_and_living_ones_pass(tmp_path: Path) -> None:
    page = planted(tmp_path)

    assert [link.anchor for link in links(page)] == ["an-index", "lamps-oil", "wicks_1", "", "no-heading", ""]
    assert broken(page, tmp_path / "docs") == [
        "line 11: 'gone.md' is not there for a reader of docs",
        "line 11: 'lamps.md' has no heading for '#no-heading'",
        "line 11: 'outside.md' is not there for a reader of docs",
    ]
    assert anchors((tmp_path / "docs" / "lamps.md").read_text()) == {"lamps-oil", "wicks", "wicks_1"}


def test_a_page_that_nothing_links_is_found(tmp_path: Path) -> None:
    page = planted(tmp_path)

    assert unreachable(page, sorted((tmp_path / "docs").glob("*.md"))) == [tmp_path / "docs" / "lost.md"]
