"""Runs one fetch into a real market in a process of its own, so that a test can kill it: URL PAGES; MERCATO_HOME."""

import json
import sys
from dataclasses import replace

from mercato.core.clock import SystemClock
from mercato.market.connectors.desk import desk_of
from mercato.market.connectors.fetch import fetch
from mercato.market.connectors.registry import connector
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import Asset
from mercato.market.opening import opened


def main(url: str, pages: int) -> None:
    assets = [
        Asset(f"tok:{page}", f"MADEUP{page}", f"Made up {page}", "token", ids={"coingecko": f"coin-{page}"})
        for page in range(pages)
    ]
    settings = SourceSettings(coingecko_url=url, coingecko_per_minute=60_000.0)
    with opened() as market:
        market.add_assets(assets, origin="made up")
        desk = desk_of(market, settings, SystemClock())
        hourly = connector("coingecko-hourly")

        def mine(context):  # the shipped universe is left out
            return hourly.plan(replace(context, assets=assets))

        report = fetch(replace(hourly, plan=mine), desk)
        segments = [item.request for item in market.segments()]
    sys.stdout.write(json.dumps({"finished": report.finished, "segments": segments}))


main(sys.argv[1], int(sys.argv[2]))
