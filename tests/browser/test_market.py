from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mercato.app import SECTIONS, Room, create_app
from mercato.core.settings import load
from mercato.market.report.reporting import refresh
from mercato.market.service import Market
from tests.browser.conftest import Serving
from tests.browser.visits import ROOT, Visits
from tests.market.simulated import UNTIL, fill, market

pytestmark = pytest.mark.browser

PATHS = ["/", "/market/tokens", "/market/tokens/sim:courtside", "/market/chains", "/market/mindshare",
         "/market/builders", "/market/scenarios", "/market/sources", "/market/alerts"]  # fmt: skip
OTHER_PROCESS = """
import sys
from pathlib import Path
from mercato.market.report.reporting import refresh
from tests.market.simulated import UNTIL, fill, market
made = market(Path(sys.argv[1]))
fill(made, Path(sys.argv[1]), 40)
refresh(made, UNTIL)
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market with made-up data and a snapshot."""
    folder = tmp_path_factory.mktemp("room")
    made = market(folder)
    fill(made, folder)
    refresh(made, UNTIL)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def site(serving: Serving, room: Market) -> str:
    """Where the pages of the filled market are served."""
    return serve(serving, room)


def serve(serving: Serving, made: Market) -> str:
    app = create_app(load(*SECTIONS, home=made.home), made.store, (Room("market", made),), worker=False)
    return serving(app)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_the_market_meets_the_standard(visits: Visits, site: str, path: str) -> None:
    visits.check(site + path)


def test_a_figure_page_meets_the_standard(visits: Visits, site: str) -> None:
    with visits.open(site + "/") as visit:
        link = visit.page.locator("a.number").first.get_attribute("href")

    visits.check(f"{site}{link}")


def test_the_calculator_answers_in_place_and_keeps_the_question_in_the_address(visits: Visits, site: str) -> None:
    with visits.open(site + "/market/scenarios") as visit:
        visit.page.locator("#budget").fill("500")
        visit.page.locator("#multiple").fill("100")
        visit.page.get_by_role("button", name="Work it out").click()
        expect(visit.page.locator(".claims").first).to_contain_text("$500.00")
        address = visit.page.url

    assert "multiple=100" in address


def test_an_import_by_another_process_fills_an_open_page(
    visits: Visits, serving: Serving, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("live")
    made = market(folder)
    with visits.open(serve(serving, made) + "/") as visit:
        expect(visit.page.locator("h2").first).to_have_text("No data yet")
        expect(visit.page.locator("live-status")).to_have_attribute("data-status", "live")
        subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(folder)], cwd=ROOT, check=True)
        expect(visit.page.locator(".headlines")).to_be_visible(timeout=60_000)
    made.store.close()
