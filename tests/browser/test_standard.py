from __future__ import annotations

import pytest

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
