from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser.visits import Visits

pytestmark = pytest.mark.browser


def test_the_keyboard_reaches_the_content_the_navigation_and_the_theme(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        reached = []
        for _ in range(5):
            visit.page.keyboard.press("Tab")
            reached.append(
                visit.page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.ariaLabel")
            )

    assert reached[:5] == ["#main", "/", "/gallery", "/api", "Use the dark theme"]


def test_the_skip_link_jumps_to_the_content(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")

        assert visit.page.evaluate("document.activeElement.id") == "main"


def test_every_focus_is_seen(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Tab")

        assert visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_theme_is_remembered_across_pages(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        with visit.page.expect_response("**/theme"):
            visit.page.get_by_role("button", name="Use the dark theme").click()
        at_once = visit.page.evaluate("getComputedStyle(document.documentElement).colorScheme")
        visit.page.goto(address + "/api")
        later = visit.page.locator("html").get_attribute("data-theme")

        assert (at_once, later) == ("dark", "dark")
        assert visit.page.get_by_role("button", name="Use the light theme").is_visible()


def test_the_theme_works_without_a_script(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery?order=asc", java_script_enabled=False) as visit:
        visit.page.get_by_role("button", name="Use the dark theme").click()
        visit.page.wait_for_load_state()

        assert visit.page.locator("html").get_attribute("data-theme") == "dark"
        assert visit.page.url == address + "/gallery?order=asc"


def test_a_table_sorts_without_a_script(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery", java_script_enabled=False) as visit:
        visit.page.get_by_role("link", name="Cap", exact=True).click()
        first = visit.page.locator("#ranking tbody th").first.inner_text()

    assert first == "DELTA"


def test_the_form_answers_in_place_with_a_script_and_as_a_page_without(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        visit.page.get_by_label("Budget in USD").fill("2500")
        visit.page.get_by_role("button", name="Work it out").click()
        expect(visit.page.locator("#sum")).to_contain_text("$2,500")
        assert visit.page.url == address + "/gallery"
        assert visit.complaints == []

    with visits.open(address + "/gallery", java_script_enabled=False) as visit:
        visit.page.get_by_role("button", name="Work it out").click()
        assert "A budget of $500" in visit.page.inner_text("body")


def test_a_chart_is_read_off_under_the_cursor_and_restored_when_it_leaves(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        chart = visit.page.locator("series-chart").first
        chart.locator("canvas").wait_for()
        newest = visit.page.locator("#time .legend b").first.inner_text()
        box = chart.bounding_box()
        assert box is not None
        visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(chart.locator("time")).not_to_be_empty()
        day = chart.locator("time").inner_text()
        read = visit.page.locator("#time .legend b").first.inner_text()
        visit.page.mouse.move(5, 5)
        expect(chart.locator("time")).to_be_empty()

        assert datetime.fromisoformat(day).replace(tzinfo=UTC) > datetime(2025, 1, 1, tzinfo=UTC)
        assert read != newest
        assert visit.page.locator("#time .legend b").first.inner_text() == newest


def test_a_chart_follows_the_theme(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        chart = visit.page.locator("series-chart").first
        chart.locator("canvas").wait_for()
        light = chart.locator("canvas").screenshot()
        visit.page.get_by_role("button", name="Use the dark theme").click()
        visit.page.wait_for_timeout(200)

        assert chart.locator("canvas").screenshot() != light
        assert chart.locator("canvas").count() == 1


def test_a_page_prints_without_its_controls(visits: Visits, address: str) -> None:
    with visits.open(address + "/gallery") as visit:
        visit.page.emulate_media(media="print")

        assert not visit.page.get_by_role("navigation").is_visible()
        assert visit.page.locator(".said").first.is_visible()
