"""What visits leave to others: this thread's loop, whenever no page is open."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.visits import Visits

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def early() -> str:
    """What a loop says that a fixture runs, before the browser is started or after."""
    return asyncio.run(asyncio.sleep(0, "early"))


@pytest.fixture
def late(visits: Visits) -> str:
    """What a loop says that a fixture runs for sure while the browser lives."""
    return asyncio.run(asyncio.sleep(0, "late"))


def test_fixtures_and_tests_run_loops_of_their_own_beside_the_browser(
    visits: Visits, address: str, early: str, late: str
) -> None:
    with visits.open(address + "/gallery") as outer, visits.open(address + "/gallery") as inner:
        titles = {visit.page.title() for visit in (outer, inner)}
    with visits.open(address + "/gallery") as again:
        titles.add(again.page.title())

    assert len(titles) == 1
    assert (early, late, asyncio.run(asyncio.sleep(0, "after"))) == ("early", "late", "after")


def test_the_page_that_was_opened_first_is_there_after_a_second_one(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as first:
        with visits.open(address + "/gallery") as second:
            second.page.title()
        with first.page.expect_response("**/theme"):
            first.page.get_by_role("button", name="Use the dark theme").click()

        assert first.page.get_by_role("button", name="Use the light theme").is_visible()
