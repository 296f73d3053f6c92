"""The real sources, only with MERCATO_LIVE=1: one small request each, checked for the shape that parsers expect."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from mercato.core.clock import SystemClock
from mercato.market.connectors.fetch import Desk, fetch
from mercato.market.connectors.registry import connector
from mercato.market.connectors.settings import SourceSettings
from mercato.market.connectors.state import MemoryNotebook
from mercato.market.connectors.testing import FolderRoom
from mercato.market.model import Asset

pytestmark = pytest.mark.live

SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
ASSETS = (
    Asset("bitcoin", "BTC", "Bitcoin", "token", ids={"coingecko": "bitcoin"}),
    Asset(
        "wrapped-sol",
        "SOL",
        "Wrapped SOL",
        "token",
        home_chain=SOLANA,
        deployments=(f"{SOLANA}/token:So11111111111111111111111111111111111111112",),
    ),
    Asset("equity:msft", "MSFT", "Microsoft", "equity", ids={"sec_cik": "0000789019"}),
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    settings = SourceSettings(contact=os.environ.get("MERCATO_SOURCES_CONTACT", ""))
    return Desk(FolderRoom(tmp_path / "room", ASSETS), MemoryNotebook(), settings, SystemClock(), tmp_path / "spool")


@pytest.mark.parametrize("name", ["coingecko", "coingecko-daily", "defillama", "geckoterminal", "dexscreener"])
def test_the_source_still_answers_in_the_shape_that_its_parser_reads(name: str, desk: Desk) -> None:
    report = fetch(connector(name), desk)

    assert [step for step in report.steps if step.outcome not in ("committed", "known")] == []
    assert report.finished
    assert report.rows > 0


def test_sec_still_answers_with_shares(desk: Desk) -> None:
    report = fetch(connector("sec"), desk, since=(SystemClock().now() - timedelta(days=100)).date())

    assert report.finished
    assert report.rows > 0
