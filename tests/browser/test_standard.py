from __future__ import annotations

from pathlib import Path

import pytest

from mercato import web
from mercato.app import SECTIONS, create_app
from mercato.core.settings import load
from mercato.store import Store
from mercato.web.testing import gallery
from tests.browser.conftest import Serving
from tests.browser.visits import Visits

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/gallery", "/gallery?order=asc", "/api"])
def test_a_page_of_the_floor_meets_the_standard(visits: Visits, address: str, path: str) -> None:
    visits.check(address + path)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_a_missing_page_says_so_and_leads_back(visits: Visits, address: str, look: str) -> None:
    with visits.open(address + "/nowhere", look) as visit:
        found = visits.violations(visit.page)
        link = visit.page.get_by_role("link", name="Back to the start").get_attribute("href")

    assert found == []
    assert link == "/"


def test_the_first_load_has_room_left_below_its_limit(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        kinds = {url.rsplit("/", 1)[1].split(".")[0].split("-")[0]: octets for url, octets in visit.loaded.items()}

    assert {"gallery", "app", "page", "plot"} <= set(kinds)
    assert sum(kinds.values()) <= 65_000


def test_the_chart_code_is_loaded_only_by_pages_with_a_chart(visits: Visits, address: str) -> None:
    with visits.open(address + "/api") as visit:
        loaded = " ".join(visit.loaded)

    assert "/static/page." in loaded
    assert "plot-" not in loaded


@pytest.mark.parametrize("width", [800, 1600])
def test_every_room_of_many_can_be_seen_without_scrolling(
    visits: Visits, serving: Serving, store: Store, width: int
) -> None:
    app = create_app(load(*SECTIONS, home=Path(str(store.url.database)).parent), store, ())
    links = [web.Link(f"/room{place}", f"A room, {place}") for place in range(8)]
    app.include_router(gallery(web.Site(nav=[*links, web.Link("/gallery", "Gallery")], version="0")))
    with visits.open(serving(app) + "/gallery", viewport={"width": width, "height": 800}) as visit:
        hidden = visit.page.evaluate("""() => [...document.querySelectorAll('header nav a')]
            .map((link) => link.getBoundingClientRect().right).filter((right) => right > innerWidth)""")

    assert hidden == []
    assert visit.complaints == []
