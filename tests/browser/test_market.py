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
from tests.browser.visits import FIRST_LOAD_OCTETS, ROOT, Visits
from tests.market.simulated import UNTIL, fill, market

pytestmark = pytest.mark.browser

EMPTY = ["/", "/market/tokens", "/market/chains", "/market/mindshare", "/market/builders", "/market/scenarios",
         "/market/sources", "/market/alerts", "/market/report"]  # fmt: skip
PATHS = [*EMPTY, "/market/tokens/sim:courtside", "/market/scenarios?budget=500&multiple=100"]
BARE = [path if path in EMPTY[:2] else pytest.param(path, marks=pytest.mark.nightly) for path in EMPTY]
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


@pytest.fixture(scope="module")
def bare(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the pages of a market without data are served."""
    made = market(tmp_path_factory.mktemp("bare"))
    yield serve(serving, made)
    made.store.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_the_market_meets_the_standard(visits: Visits, site: str, path: str) -> None:
    visits.check(site + path)


@pytest.mark.parametrize("path", BARE)
def test_a_page_without_data_meets_the_standard(visits: Visits, bare: str, path: str) -> None:
    visits.check(bare + path)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_made_up_data_is_marked_before_the_first_figure(visits: Visits, site: str, look: str) -> None:
    with visits.open(site + "/", look) as visit:
        note = visit.page.get_by_role("note")
        expect(note).to_contain_text("Simulated data")
        banner, heading = note.bounding_box(), visit.page.locator("h1").bounding_box()

    assert banner is not None
    assert heading is not None
    assert banner["y"] < heading["y"]


def test_the_first_load_of_the_overview_stays_below_its_limit(visits: Visits, site: str) -> None:
    with visits.open(site + "/") as visit:
        sizes = {url.partition(site)[2]: octets for url, octets in visit.loaded.items()}

    assert {"", "app", "page", "plot"} <= {
        name.rpartition("/")[2].partition(".")[0].partition("-")[0] for name in sizes
    }
    assert sum(sizes.values()) <= FIRST_LOAD_OCTETS


def test_eight_tabs_of_the_overview_are_live_at_once(visits: Visits, site: str) -> None:
    with visits.open(site + "/market/alerts") as visit:
        pages = [visit.page, *(visit.page.context.new_page() for _ in range(7))]
        for page in pages:
            page.goto(site + "/market/alerts")
        for page in pages:
            expect(page.locator("live-status")).to_have_attribute("data-status", "live")

    assert visit.complaints == []


@pytest.mark.parametrize("path", ["/", "/market/tokens/sim:courtside", "/market/scenarios"])
def test_every_csv_link_downloads_a_table(visits: Visits, site: str, path: str) -> None:
    with visits.open(site + path) as visit:
        links = visit.page.locator("a.csv[download]")
        hrefs = [str(link.get_attribute("href")) for link in links.all()]
        with visit.page.expect_download() as begun:
            links.first.click()
        name = begun.value.suggested_filename
        texts = [visit.page.request.get(site + href).text() for href in hrefs]

    assert name.endswith(".csv")
    assert all(len(text.splitlines()) > 1 for text in texts)


def test_a_figure_page_meets_the_standard(visits: Visits, site: str) -> None:
    with visits.open(site + "/") as visit:
        link = visit.page.locator("a.number").first.get_attribute("href")

    visits.check(f"{site}{link}")


def test_the_calculator_answers_in_place_and_keeps_the_question_in_the_address(visits: Visits, site: str) -> None:
    with visits.open(site + "/market/scenarios") as visit:
        visit.page.locator("#budget").fill("500")
        visit.page.locator("#multiple").fill("100")
        visit.page.get_by_role("button", name="Work it out").click()
        expect(visit.page.locator(".claims").first).to_contain_text("$500 into $50,000")
        address = visit.page.url

    assert "multiple=100" in address


def test_the_calculator_works_without_a_script(visits: Visits, site: str) -> None:
    with visits.open(site + "/market/scenarios", java_script_enabled=False) as visit:
        visit.page.locator("#budget").fill("500")
        visit.page.locator("#multiple").fill("100")
        visit.page.get_by_role("button", name="Work it out").click()
        answer = visit.page.locator(".claims").first.inner_text()
        address = visit.page.url

    assert "$500 into $50,000" in answer
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
