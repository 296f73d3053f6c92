"""Visits of a page by a real Chromium, and the standard that every page of every room is held to.

A page test of a room is one line of a parametrised list:

    @pytest.mark.browser
    @pytest.mark.parametrize("path", ["/", "/builders"])
    def test_the_page_meets_the_standard(visits: Visits, address: str, path: str) -> None:
        visits.check(address + path)
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, Request, Response

ROOT = Path(__file__).parents[2]
AXE = Path(__file__).parent / "axe"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "is_mobile": True},
}
#: The phone of LOOKS, for a tab that is open already.
PHONE = {**LOOKS["phone"]["viewport"], "deviceScaleFactor": 1, "mobile": True}
FIRST_LOAD_OCTETS = 90_000
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: What axe judges by colours. A dark page is the light one in other colours, so that nothing else could differ.
BY_COLOUR = ["color-contrast", "link-in-text-block"]


@dataclass
class Visit:
    """One opened page: what it logged, and what it loaded, in octets as they crossed the wire."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)


@contextmanager
def running(loop: asyncio.AbstractEventLoop | None) -> Iterator[None]:
    """Marks a loop as the one that runs in this thread, or none, until the end of the block."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


class Visits:
    """Opens pages in the looks that matter and checks them.

    `loop` is the browser's. It counts as running only while a page is open, so that fixtures and tests may run loops
    of their own before and after, whichever of them came first in this process.
    """

    def __init__(self, browser: Browser, axe: str, loop: asyncio.AbstractEventLoop) -> None:
        self.browser, self.axe, self.loop = browser, axe, loop

    @contextmanager
    def open(
        self,
        url: str,
        look: str = "light",
        prepare: Callable[[Page], None] = lambda page: None,
        until: Literal["load", "networkidle"] = "networkidle",
        **more: Any,
    ) -> Iterator[Visit]:
        """Opens a page and collects every console error, policy violation, failed request and uncaught exception.

        `prepare` is given the page before it goes anywhere.
        """
        with running(self.loop), self.browser.new_context(**{**LOOKS[look], **more}) as context:
            page = context.new_page()
            prepare(page)
            visit = Visit(page)
            page.on("console", lambda m: visit.complaints.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: visit.complaints.append(f"uncaught: {error}"))
            page.on("requestfailed", lambda request: _failed(visit, request))
            page.on("response", lambda response: _note(visit, response))
            page.goto(url, wait_until=until)
            yield visit

    def check(self, url: str) -> None:
        """Holds a page to the standard: axe, silence, width, headings, and all of its text without a script.

        One tab shows it in every look, as a context for each would cost more than all that is looked at.
        """
        with self.open(url) as visit:
            page, tab = visit.page, visit.page.context.new_cdp_session(visit.page)
            headings = self._look(visit, "light")
            page.emulate_media(color_scheme="dark")
            found = self._judged(page, BY_COLOUR)
            page.emulate_media(color_scheme="light")
            tab.send("Emulation.setDeviceMetricsOverride", PHONE)
            page.reload(wait_until="networkidle")
            headings += self._look(visit, "phone")
            tab.send("Emulation.setScriptExecutionDisabled", {"value": True})
            page.reload(wait_until="load")
            text = page.inner_text("main")
        missing = [heading for heading in headings if heading not in text]

        assert found == [], f"{url} (dark): {found}"
        assert len(text.strip()) > 20, f"{url} says nothing without a script"
        assert not missing, f"{url} hides {missing!r} without a script"

    def violations(self, page: Page, rules: Sequence[str] = ()) -> list[str]:
        """Returns what axe finds wrong, with the places: by these rules, or by all of the standard."""
        page.evaluate(self.axe)
        return self._judged(page, rules)

    def _judged(self, page: Page, rules: Sequence[str] = ()) -> list[str]:
        """Returns what axe, which the page has loaded, finds wrong with it."""
        only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": TAGS}
        found = page.evaluate("only => axe.run(document, { runOnly: only, resultTypes: ['violations'] })", only)
        return [
            f"{item['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
            for item in found["violations"]
            for node in item["nodes"]
        ]

    def _look(self, visit: Visit, look: str) -> list[str]:
        """Judges a page as it is shown now; returns its main heading."""
        page, url = visit.page, visit.page.url
        found = self.violations(page)
        inner, wide = page.evaluate(
            "(root => [innerWidth, root.scrollWidth - root.clientWidth])(document.documentElement)"
        )
        headings = page.locator("h1").all_inner_texts()

        assert inner == LOOKS[look]["viewport"]["width"]
        assert found == [], f"{url} ({look}): {found}"
        assert visit.complaints == [], f"{url} ({look}): {visit.complaints}"
        assert wide <= 0, f"{url} ({look}) is {wide} px too wide"
        assert len(headings) == 1, f"{url} has the main headings {headings!r}"
        assert sum(visit.loaded.values()) <= FIRST_LOAD_OCTETS, f"{url} loads {visit.loaded}"
        return headings


def axe_source(deno: str, cache: Path) -> str:
    """Returns axe-core as one script; Deno fetches it, pinned by the hash in axe/deno.lock, and keeps it in `cache`."""
    made = cache / "axe.js"
    if not made.exists() or made.stat().st_mtime < (AXE / "deno.lock").stat().st_mtime:
        cache.mkdir(parents=True, exist_ok=True)
        flags = ["--quiet", "--frozen", "--platform=browser", "--format=iife", "-o", str(made), "axe.ts"]
        subprocess.run([deno, "bundle", *flags], cwd=AXE, check=True, capture_output=True)
    return made.read_text(encoding="utf-8")


def _failed(visit: Visit, request: Request) -> None:
    """Complains of a request that failed, but not of one that the page gave up for a newer one."""
    if request.failure != "net::ERR_ABORTED":
        visit.complaints.append(f"failed: {request.url}: {request.failure}")


def _note(visit: Visit, response: Response) -> None:
    """Counts what a response weighed as it was sent: headers, and the body as it was compressed."""
    if response.status >= 400:
        visit.complaints.append(f"{response.status}: {response.url}")
    body = int(response.headers.get("content-length", "0"))
    visit.loaded[response.url] = body + sum(len(k) + len(v) + 4 for k, v in response.headers.items())
