"""The line at the head of every page while a season is lived through: seen, read aloud, and made new by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.core.clock import SystemClock
from mercato.core.settings import load
from mercato.launch.season.progress import Announcer, Board, Progress
from mercato.market.service import Market
from tests.browser.conftest import opened
from tests.browser.visits import Visits

pytestmark = pytest.mark.browser
PATHS = ("/", pytest.param("/market/tokens", marks=pytest.mark.nightly))


@dataclass(frozen=True)
class Told:
    """A Mercato whose season is told by the test."""

    address: str
    board: Board


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    home: Path = tmp_path_factory.mktemp("told")
    with opened(home) as store:
        board = Board([Announcer(store)])
        rooms = [Room("market", Market(store, home, SystemClock())), Room("launch.season", board)]
        with serve(create_app(load(*SECTIONS, home=home), store, rooms)) as address:
            yield Told(address, board)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stage", ["living", pytest.param("measuring", marks=pytest.mark.nightly), "failed"])
def test_a_page_with_word_of_the_season_meets_the_standard(visits: Visits, told: Told, path: str, stage: str) -> None:
    told.board.post(Progress(stage, 12, 36, "Courtside applies", 320))  # type: ignore[arg-type]  # one of the stages
    visits.check(told.address + path)


def test_an_open_page_follows_the_season_to_its_end(visits: Visits, told: Told) -> None:
    told.board.post(Progress("living", 3, 36, "trading", 80))
    with visits.open(told.address) as visit:
        expect(visit.page.locator("live-status")).to_have_attribute("data-status", "live")
        line = visit.page.locator("[data-live=season]")
        expect(line).to_contain_text("day 3 of 36")
        told.board.post(Progress("living", 20, 36, "trading", 560))
        expect(line).to_contain_text("day 20 of 36")
        told.board.post(Progress("live"))
        expect(line).to_be_empty()

    assert visit.complaints == []
