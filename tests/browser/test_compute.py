"""The compute pages in a real Chromium: the standard, what goes on as it goes on, and the kill switch by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mercato.compute.books import Clerk, Hold
from mercato.compute.model import REQUESTS
from mercato.core.clock import SystemClock
from tests.browser.conftest import Serving
from tests.browser.test_kit import Known, known
from tests.browser.visits import Visits
from tests.compute.office.conftest import filled
from tests.compute.office.test_pages import newest
from tests.compute.office.week import KEEPER, SIGNER, House, house

__all__ = ["filled"]  # a fixture of the office
pytestmark = pytest.mark.browser
OPEN = ("/compute", "/compute/checks", pytest.param("/compute/providers/{odd}", marks=pytest.mark.nightly))
CLOSED = ("/compute/receipts/{receipt}", "/compute/spend", pytest.param("/compute/receipts", marks=pytest.mark.nightly))


@pytest.fixture(scope="module")
def held(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation whose kill switch stays off."""
    with house(tmp_path_factory.mktemp("house"), filled=filled) as made:
        yield made


@pytest.fixture(scope="module")
def site(held: House, serving: Serving) -> str:
    return serving(held.app())


@pytest.mark.parametrize("path", OPEN)
def test_a_page_for_everybody_meets_the_standard(visits: Visits, site: str, held: House, path: str) -> None:
    visits.check(site + path.format(odd=held.odd))


@pytest.mark.parametrize("path", CLOSED)
def test_a_page_for_operators_meets_the_standard(visits: Visits, site: str, held: House, path: str) -> None:
    Known(visits, known(site, KEEPER)).check(site + path.format(receipt=newest(held)))


def test_the_first_page_of_an_empty_installation_meets_the_standard(
    visits: Visits, serving: Serving, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with house(tmp_path_factory.mktemp("empty")) as made:
        visits.check(serving(made.app()) + "/compute")


def test_nothing_moves_while_the_page_loads(visits: Visits, site: str) -> None:
    with visits.open(site + "/compute") as visit:
        moved = visit.page.evaluate("""() => new Promise((told) => new PerformanceObserver((list) =>
            told(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))
        ).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => told(0), 300))""")

    assert moved < 0.01


def test_what_goes_on_is_shown_while_it_goes_on(visits: Visits, site: str, held: House) -> None:
    clerk, till = Clerk(held.url, SystemClock(), SIGNER), held.till()
    key, account = till.bare.run("SELECT id, account FROM compute_key LIMIT 1")[0]
    clerk.open()
    with visits.open(site + "/compute") as visit:
        expect(visit.page.locator("live-status")).to_have_attribute("data-status", "live")
        under_way = visit.page.locator("[data-live=fleet] .figure").first
        expect(under_way).to_contain_text("0")
        clerk.book([Hold(REQUESTS.new(), key, account, "n", 10)])
        expect(under_way).to_contain_text("1")
    clerk.close()
    Clerk(held.url, SystemClock(), SIGNER).abandon()
    till.close()

    assert visit.complaints == []


def test_an_operator_stops_the_gateway_by_keyboard_and_without_a_script(
    visits: Visits, filled: Path, serving: Serving, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with house(tmp_path_factory.mktemp("stopped"), filled=filled) as made:
        address = serving(made.app())
        with visits.open(address + "/compute", prepare=known(address, KEEPER)) as visit:
            visit.page.get_by_label("Why").fill("odd answers")
            visit.page.keyboard.press("Tab")
            visit.page.keyboard.press("Enter")
            expect(visit.page.get_by_role("alert")).to_contain_text("Stopped")
            stopped = made.office().stopped()
        with visits.open(address + "/compute", prepare=known(address, KEEPER), java_script_enabled=False) as plain:
            plain.page.get_by_role("button", name="Let it serve again").click()
            expect(plain.page.get_by_role("button", name="Stop serving")).to_be_visible()

        assert stopped
        assert not made.office().stopped()
        assert visit.complaints == []
