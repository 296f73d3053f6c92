"""The real histories, where they are at hand: one command brings them all in, and known figures come out."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from mercato.market.model import Query

FOLDER = Path(os.environ.get("MERCATO_RESEARCH_DATA") or Path(__file__).parents[4] / "shared" / "data" / "market")
ELIZA = [100, 925, 1338, 1681, 703, 1459, 574, 945]


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the research data set is not here; set MERCATO_RESEARCH_DATA")
def test_one_bundle_brings_the_research_data_in_and_its_figures_come_out(market, clock):
    clock.move(timedelta(days=600))  # the histories end in 2026
    receipts = market.import_bundle(FOLDER, "research")

    with market.inputs(Query(date(2025, 5, 31))) as inputs:
        curated, panel = inputs.curated, inputs.panel
        commits = curated.filter((curated.asset_id == "dev:elizaos/eliza") & (curated.field == "commits"))
        by_month = inputs.engine.rows(commits.filter(commits.day >= date(2024, 10, 1)).order_by("day"))
        days = panel.filter(
            (panel.asset_id == "virtual-protocol") & panel.day.isin([date(2025, 1, 1), date(2025, 2, 14)])
        )
        peak, later = inputs.engine.rows(days.order_by("day"))
        total = panel.filter((panel.asset_id == "top-200") & (panel.day == date(2025, 2, 1)))
        (top,) = inputs.engine.rows(total)

    assert {receipt.source: receipt.rejected for receipt in receipts if receipt.source != "coinmarketcap"} == {
        "bybit": 0,
        "binance": 0,
        "yahoo": 0,
        "sec-filings": 0,
        "git-histories": 0,
        "discord": 0,
    }
    assert [row["value"] for row in by_month] == ELIZA
    assert by_month[0]["day"] == date(2024, 10, 31)
    assert later["price"] / peak["price"] - 1 == pytest.approx(-0.695, abs=0.0005)
    assert peak["cap"] == pytest.approx(4_619_895_901_650_706, rel=1e-6)
    assert top["state"] == "fresh"
    assert 3_000_000 < top["cap"] / 1e12 < 4_000_000
