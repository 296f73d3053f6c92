"""Takes the pictures of the README: python scripts/screenshots.py [path/to/chromium].

They show the first screen of the overview and of an open auction after a season of the local economy,
which is simulated, so that no figure in them is anybody's data.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZE, MOST = (1280, 900), 250_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]
LIVE = "The local economy is live."


def main() -> None:
    """Writes overview-light.png, overview-dark.png, launch-light.png and launch-dark.png into docs/images."""
    with economy() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        pages = {"overview": ("/", "series-chart canvas"), "launch": (f"/launch/{open_auction(address)}", ".plot svg")}
        for name, (path, drawn) in pages.items():
            for scheme in ("light", "dark"):
                picture = IMAGES / f"{name}-{scheme}.png"
                take(browser, address + path, drawn, scheme, picture)
                report(picture, print)
        browser.close()


@contextmanager
def economy() -> Iterator[str]:
    """Gives the address of `mercato up` in a fresh data folder, once its season is over; stops it afterwards."""
    command = [str(Path(sys.executable).with_name("mercato")), "up", "--port", "0", "--season"]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MERCATO_HOME": home, "MERCATO_CHAINS_FACADE_PORT": "0"}
        served = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            yield lived(served)
        finally:
            served.terminate()
            served.wait(timeout=60)


def lived(served: subprocess.Popen[str]) -> str:
    """Returns the address that a server printed, once it says that it is live; RuntimeError where it ends before."""
    address = ""
    for line in served.stdout or ():
        found = re.search(r"Mercato is at (\S+)", line)
        address = found[1] if found else address
        if LIVE in line:
            return address
    raise RuntimeError("mercato up ended before its season was over; run it by hand to see why")


def open_auction(address: str) -> str:
    """Returns the id of the launch that is open for bids."""
    answer = httpx.get(f"{address}/api/launch/launches", timeout=30)
    return next(str(item["id"]) for item in answer.json() if item["state"] == "open")


def take(browser: Browser, address: str, drawn: str, scheme: str, picture: Path) -> None:
    """Takes the first screen of a page in one theme, once its first chart is drawn and it is live."""
    width, height = SIZE
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})  # type: ignore[arg-type] # Playwright wants a literal
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.locator(drawn).first.wait_for()
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
