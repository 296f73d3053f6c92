"""A recorded source, a hand-moved clock, and a small made-up universe."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mercato.core.clock import HandClock
from mercato.core.settings import Secret
from mercato.market.connectors.fetch import Desk
from mercato.market.connectors.http import Client, Limits
from mercato.market.connectors.retry import Retries
from mercato.market.connectors.settings import SourceSettings
from mercato.market.connectors.state import MemoryNotebook
from mercato.market.connectors.testing import FolderRoom, RecordedSource
from mercato.market.model import Asset

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
EVM = "0x00000000000000000000000000000000000000AA"
MINT = "So1MadeUpMint1111111111111111111111111111111"
SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"

#: Made-up assets: ids are ours, and every vendor id leads to exactly one of them.
UNIVERSE = (
    Asset(
        "tok:alpha",
        "ALPHA",
        "Alpha",
        "token",
        "ai-agents",
        "eip155:8453",
        deployments=(f"eip155:1/erc20:{EVM[:-2]}BB", f"eip155:8453/erc20:{EVM}"),
        ids={"coingecko": "alpha-made-up"},
    ),
    Asset(
        "tok:beta",
        "BETA",
        "Beta",
        "token",
        "ai-agents",
        SOLANA,
        deployments=(f"{SOLANA}/token:{MINT}",),
        ids={"coingecko": "beta-made-up", "defillama": f"solana:{MINT}"},
    ),
    Asset("ref:crypto", "TOTAL", "Total crypto", "reference", ids={"coingecko_global": "total"}),
    Asset("ref:ai", "AISECTOR", "AI by CoinGecko", "reference", ids={"coingecko_category": "artificial-intelligence"}),
    Asset("ref:base", "BASECHAIN", "Base", "reference", ids={"defillama_chain": "Base"}),
    Asset("ref:stable", "STABLES", "Dollar-pegged", "reference", ids={"defillama_stablecoin": "all"}),
    Asset("eq:one", "ONE", "One class", "equity", ids={"equity": "one.us", "sec_cik": "1"}),
    Asset(
        "eq:two",
        "TWO",
        "Two classes",
        "equity",
        ids={"equity": "two.us", "sec_cik": "2", "splits": "2024-06-10:10"},
    ),
)


@pytest.fixture
def source() -> Iterator[RecordedSource]:
    with RecordedSource() as server:
        yield server


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture
def notebook() -> MemoryNotebook:
    return MemoryNotebook()


@pytest.fixture
def client(clock: HandClock, notebook: MemoryNotebook) -> Iterator[Callable[..., Client]]:
    """Returns a factory of clients; every client is closed at the end."""
    opened: list[Client] = []

    def make(*, secrets: dict[str, Secret] | None = None, **limits: Any) -> Client:
        chosen = Limits(**{"per_minute": 6000.0, "burst": 100, "read_seconds": 2.0, "total_seconds": 5.0, **limits})
        made = Client(
            "made-up", chosen, notebook, clock, user_agent="mercato", secrets=secrets, chance=random.Random(1)
        )
        opened.append(made)
        return made

    yield make
    for made in opened:
        made.close()


@pytest.fixture
def room(tmp_path: Path) -> FolderRoom:
    return FolderRoom(tmp_path / "room", UNIVERSE)


@pytest.fixture
def settings(source: RecordedSource) -> SourceSettings:
    return everything_at(source.url)


@pytest.fixture
def desk(
    room: FolderRoom, notebook: MemoryNotebook, settings: SourceSettings, clock: HandClock, tmp_path: Path
) -> Desk:
    return Desk(room, notebook, settings, clock, tmp_path / "spool")


ADDRESSES = (
    "coingecko_url",
    "defillama_coins_url",
    "defillama_stablecoins_url",
    "defillama_url",
    "geckoterminal_url",
    "dexscreener_url",
    "sec_data_url",
    "sec_files_url",
)
RATES = ("coingecko", "defillama", "geckoterminal", "dexscreener", "equities", "sec")


def everything_at(url: str, **more: Any) -> SourceSettings:
    """Returns settings that send every source to one address, without waits between calls."""
    values: dict[str, Any] = {"contact": "tests@mercato.invalid", "equities_url": f"{url}/daily/{{symbol}}"}
    values |= dict.fromkeys(ADDRESSES, url) | {f"{name}_per_minute": 60_000.0 for name in RATES}
    return SourceSettings(**(values | more))


def research_data() -> Path:
    """Returns the folder of recorded data beside the repository; tests that need it skip where it is missing."""
    beside = Path(__file__).resolve().parents[4] / "shared/data/market"
    folder = Path(os.environ.get("MERCATO_RESEARCH_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no recorded data at {folder}; set MERCATO_RESEARCH_DATA")
    return folder


NO_WAITS = Retries(attempts=3, base=0.001, longest=60.0)
