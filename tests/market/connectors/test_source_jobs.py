"""The job that fetches what is due, in a real market on a real store, and what the page of sources is given."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mercato.core.clock import HandClock
from mercato.market import jobs, source_jobs
from mercato.market.connectors.testing import RecordedSource, reply
from mercato.market.model import Asset
from mercato.market.service import Market
from mercato.store import Store, migrate
from mercato.store.run import Run

ALPHA = Asset("tok:alpha", "ALPHA", "Alpha (made up)", "token", ids={"coingecko": "alpha-made-up"})
NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    store = Store(f"sqlite:///{tmp_path / 'mercato.db'}")
    migrate(store)
    opened = Market(store, tmp_path, HandClock(NOW))
    opened.add_assets([ALPHA], origin="made up")
    yield opened
    store.close()


def run_of(market: Market) -> Run:
    job: Any = None  # the handler looks at no job
    return Run(market.store, market.clock, job, threading.Event())


def write_settings(home: Path, **values: str) -> None:
    lines = [f"{name} = {value}" for name, value in values.items()]
    (home / "mercato.toml").write_text("\n".join(["[sources]", *lines]))


def test_nothing_is_asked_of_the_outside_unless_it_is_switched_on(market: Market, tmp_path: Path) -> None:
    with RecordedSource() as source:
        write_settings(tmp_path, coingecko_url=f'"{source.url}"')

        jobs.handlers(market)[source_jobs.FETCH](run_of(market))

        assert source.seen == []


def test_the_job_commits_what_is_due_and_remembers_what_failed(market: Market, tmp_path: Path) -> None:
    coin = {"id": "alpha-made-up", "current_price": 1.11, "last_updated": "2026-11-15T11:59:00Z"}
    with RecordedSource() as source:
        source.play("/coins/markets", reply([coin]))
        names = ("coingecko", "defillama_coins", "defillama_stablecoins", "defillama", "geckoterminal", "dexscreener")
        rates = {f"{name}_per_minute": "60000.0" for name in names if name not in names[1:3]}
        write_settings(tmp_path, automatic="true", **{f"{name}_url": f'"{source.url}"' for name in names}, **rates)

        jobs.handlers(market)[source_jobs.FETCH](run_of(market))

    found = {item.source: item for item in source_jobs.sources(market)}
    assert [item.source for item in market.segments()] == ["coingecko"]
    assert found["coingecko"].last_ok == NOW
    assert (found["dexscreener"].state, found["sec"].state) == ("failing", "off")
    assert "answered 404" in found["dexscreener"].last_error


def test_the_schedule_is_known_to_the_room() -> None:
    assert source_jobs.SCHEDULE in jobs.SCHEDULES
