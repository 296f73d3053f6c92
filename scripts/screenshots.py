"""Takes the pictures of the README: python scripts/screenshots.py [path/to/chromium].

They show the first screen of the overview on the made-up market, so that no figure in them is anybody's data.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app, open_store
from mercato.core.clock import HandClock
from mercato.core.settings import load
from mercato.market.connectors.documents.files import document
from mercato.market.example import assets_toml, documents_jsonl, history_csv
from mercato.market.model import SIMULATED
from mercato.market.report.reporting import refresh
from mercato.market.service import Market

IMAGES = Path(__file__).parents[1] / "docs" / "images"
UNTIL, SIZE, MOST = date(2025, 10, 31), (1280, 900), 250_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]


def main() -> None:
    """Writes overview-light.png and overview-dark.png into docs/images."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(load(*SECTIONS, home=folder))
        market = Market(store, folder, HandClock(datetime(2025, 11, 1, 6, tzinfo=UTC)))
        fill(market, folder)
        app = create_app(load(*SECTIONS, home=folder), store, (Room("market", market),), worker=False)
        with serve(app) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            for scheme in ("light", "dark"):
                picture = IMAGES / f"overview-{scheme}.png"
                take(browser, address, scheme, picture)
                report(picture, print)
            browser.close()
        store.close()


def fill(market: Market, folder: Path) -> None:
    """Brings the made-up market in and computes its figures."""
    (folder / "assets.toml").write_text(assets_toml(), encoding="utf-8")
    (folder / "history.csv").write_text("".join(history_csv(UNTIL)), encoding="utf-8")
    (folder / "posts.jsonl").write_text("".join(documents_jsonl(UNTIL)), encoding="utf-8")
    market.import_file(folder / "history.csv", SIMULATED, assets=folder / "assets.toml")
    market.ingest(document(folder / "posts.jsonl", SIMULATED, [], market.clock.now()))
    refresh(market, UNTIL)


def take(browser: Browser, address: str, scheme: str, picture: Path) -> None:
    """Takes the first screen of the overview in one theme, once its charts are drawn and it is live."""
    width, height = SIZE
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})  # type: ignore[arg-type] # Playwright wants a literal
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    page.locator("series-chart canvas").first.wait_for()
    page.locator('live-status[data-status="live"]').wait_for()
    time.sleep(0.5)
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture)
    context.close()


def report(picture: Path, say: Callable[[str], None]) -> None:
    """Says how large a picture is; RuntimeError where it is too large to stand in a README."""
    octets = picture.stat().st_size
    if octets > MOST:
        raise RuntimeError(f"{picture.name} was {octets:,} bytes; at most {MOST:,} are wanted")
    say(f"{picture}: {octets:,} bytes")


def chromium() -> str:
    """Returns the Chromium named on the command line, by MERCATO_CHROMIUM, or found on the path."""
    named = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MERCATO_CHROMIUM", "")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), "")
    if not found:
        raise SystemExit(f"no Chromium was found: install one of {', '.join(NAMES)}, or give its path")
    return found


if __name__ == "__main__":
    main()
