"""Runs one fetch in a process of its own, so that a test can kill it: URL FOLDER PAGES."""

import json
import sys
from pathlib import Path

from mercato.core.clock import SystemClock
from mercato.market.connectors.fetch import Desk, fetch
from mercato.market.connectors.registry import connector
from mercato.market.connectors.settings import SourceSettings
from mercato.market.connectors.testing import FolderNotebook, FolderRoom
from mercato.market.model import Asset


def main(url: str, folder: Path, pages: int) -> None:
    assets = [
        Asset(f"tok:{page}", "MADEUP", f"Made up {page}", "token", ids={"coingecko": f"coin-{page}"})
        for page in range(pages)
    ]
    settings = SourceSettings(coingecko_url=url, coingecko_per_minute=60_000.0)
    room, notebook = FolderRoom(folder / "room", assets), FolderNotebook(folder / "notes")
    report = fetch(connector("coingecko-hourly"), Desk(room, notebook, settings, SystemClock(), folder / "spool"))
    print(json.dumps({"finished": report.finished, "steps": len(report.steps)}))  # noqa: T201


main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
