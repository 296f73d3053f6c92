from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from mercato.api.testing import serve
from mercato.app import SECTIONS, create_app
from mercato.core.events import Event
from mercato.core.settings import load
from mercato.store import Store
from mercato.store.outbox import emit
from mercato.web import Link, Site
from mercato.web.testing import gallery
from tests.browser.conftest import Serving, opened
from tests.browser.visits import ROOT, Visit, Visits

pytestmark = pytest.mark.browser

OTHER_PROCESS = """
import sys
from pathlib import Path
from tests.browser.test_live import pulse
from tests.browser.conftest import opened
with opened(Path(sys.argv[1])) as store:
    pulse(store, sys.argv[2])
"""
#: Playwright's own waiting evaluates text, which our policy forbids; so events leave a mark on the page instead.
WATCH = """() => {
  addEventListener('live:PulseFelt', (event) => { document.documentElement.dataset.felt = event.detail.said });
  addEventListener('live:resync', () => { document.documentElement.dataset.felt = 'resync' });
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseFelt(Event):
    room: ClassVar[str] = "gallery"
    said: str


def pulse(store: Store, said: str) -> None:
    with store.transaction() as tx:
        emit(tx, PulseFelt(time=datetime.now(UTC), said=said))


def felt(page: Page, said: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-felt", said, timeout=60_000)


def live(visit: Visit) -> None:
    expect(visit.page.locator("live-status")).to_have_attribute("data-status", "live")


def test_a_page_hears_of_an_event_that_this_process_commits(visits: Visits, address: str, store: Store) -> None:
    with visits.open(address + "/gallery") as visit:
        live(visit)
        visit.page.evaluate(WATCH)
        pulse(store, "here")
        felt(visit.page, "here")

        assert visit.complaints == []


def test_a_page_hears_of_an_event_that_another_process_commits(visits: Visits, address: str, store: Store) -> None:
    home = str(Path(str(store.url.database)).parent)
    with visits.open(address + "/gallery") as visit:
        live(visit)
        visit.page.evaluate(WATCH)
        subprocess.run([sys.executable, "-c", OTHER_PROCESS, home, "there"], check=True, timeout=60, cwd=ROOT)
        felt(visit.page, "there")

        assert visit.complaints == []


def test_a_region_of_a_page_fetches_itself_anew_when_its_event_comes(
    visits: Visits, address: str, store: Store
) -> None:
    with visits.open(address + "/gallery") as visit:
        live(visit)
        pulse(store, "again")

        expect(visit.page.locator("#pulse")).to_have_text("The page asked for this")
        assert visit.complaints == []


def test_eight_tabs_are_live_at_once(visits: Visits, address: str, store: Store) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(visits.open(address + "/gallery"))
        pages = [first.page, *(first.page.context.new_page() for _ in range(7))]
        for page in pages:
            page.goto(address + "/gallery")
            page.evaluate(WATCH)
            expect(page.locator("live-status")).to_have_attribute("data-status", "live")
        pulse(store, "everyone")
        for page in pages:
            felt(page, "everyone")

        assert len(pages) == 8


def test_a_page_reconnects_when_the_server_is_back_and_learns_that_it_missed_something(
    visits: Visits, tmp_path: Path
) -> None:
    with opened(tmp_path) as store, ExitStack() as stack:
        with serve(_gallery(store, tmp_path)) as address:
            visit = stack.enter_context(visits.open(address + "/gallery"))
            live(visit)
            visit.page.evaluate(WATCH)
        expect(visit.page.locator("live-status")).to_have_attribute("data-status", "offline")
        with serve(_gallery(store, tmp_path), port=int(address.rsplit(":", 1)[1])):
            felt(visit.page, "resync")
            live(visit)


def _gallery(store: Store, home: Path) -> FastAPI:
    app = create_app(load(*SECTIONS, home=home), store, ())
    app.include_router(gallery(Site(nav=[Link("/gallery", "Gallery")])))
    return app


def test_the_serving_fixture_serves_any_application(serving: Serving, store: Store) -> None:
    app = create_app(load(*SECTIONS, home=Path(str(store.url.database)).parent), store, ())

    assert serving(app).startswith("http://127.0.0.1:")
