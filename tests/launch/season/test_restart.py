from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mercato.chains.testing import ACCOUNTS
from mercato.core.errors import ConfigError
from mercato.launch.following.feed import source_of
from mercato.launch.season.applying import reviewers
from mercato.launch.season.progress import Progress
from mercato.launch.states import State
from mercato.store import Store
from mercato.store.testing import sqlite_store
from tests.launch.season.conftest import END, Past, alive, opened

VICTIM = """
import sys
from pathlib import Path
from mercato.store.testing import sqlite_store
from tests.launch.season.conftest import alive, opened
home = Path(sys.argv[1])
store = sqlite_store(home)
economy = opened(home, store)
life, market = alive(home, store, economy, [])
life.board._listeners = (lambda progress: print(progress.day, flush=True),)
life.season()
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return sqlite_store(tmp_path)


@pytest.mark.xdist_group("season-present")
def test_a_whole_season_is_gone_on_from_and_what_was_missed_is_lived_through(tmp_path: Path, past: Past) -> None:
    store, told = past.again(tmp_path), list[Progress]()
    again = opened(tmp_path, store, end=END)
    life, _ = alive(tmp_path, store, again, told)
    reopened = again.chain.block()
    life.catch_up()
    again.close()
    store.close()

    assert reopened == past.left
    assert again.kept == past.kept
    assert [item.stage for item in told] == ["live"]
    assert past.kept.end == past.left.time < again.chain.time() <= time.time() + 1
    assert len(again.launches.launches([State.LIVE])) == 5
    assert [receipt.reason for receipt in again.world.refused] == []


@pytest.mark.parametrize("day", [pytest.param("1", marks=pytest.mark.nightly), "20"])
def test_a_season_that_was_killed_begins_anew_and_leaves_nothing_twice(tmp_path: Path, day: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ)
    ) as victim:
        assert victim.stdout is not None
        assert next(line for line in victim.stdout if line.strip() == day)
        victim.send_signal(signal.SIGKILL)
    store = sqlite_store(tmp_path)
    economy = opened(tmp_path, store)
    life, market = alive(tmp_path, store, economy, [])
    left = economy.launches.launches()
    life.season()
    symbols = sorted(item.application.symbol for item in economy.launches.launches())
    economy.close()
    store.close()

    assert list(left) == []
    assert len(symbols) == len(set(symbols)) == 10
    assert len(market.segments()) == 2


def test_another_seed_is_refused_where_a_season_was_lived(tmp_path: Path, store: Store) -> None:
    economy = opened(tmp_path, store)
    economy.is_whole()
    economy.close()

    with pytest.raises(ConfigError, match="season's seed was 8, the one here was lived with 7"):
        opened(tmp_path, store, seed=8)
    store.close()


def test_a_journal_that_cannot_be_read_is_named_and_begun_anew(tmp_path: Path, store: Store) -> None:
    economy = opened(tmp_path, store)
    economy.is_whole()
    economy.close()
    journal = tmp_path / "economy" / "chain.jsonl"
    journal.write_text(re.sub(r'"hash":"0x....', '"hash":"0x0000', journal.read_text()))
    said: list[str] = []
    again = opened(tmp_path, store, said=said)
    again.close()
    store.close()

    assert (economy.kept.stage, again.kept.stage) == ("live", "living")
    assert "begins anew: block 1 was '0x0000" in said[-1]


def test_a_chain_with_contracts_of_another_release_is_named_and_begun_anew(tmp_path: Path, store: Store) -> None:
    economy = opened(tmp_path, store)
    economy.is_whole()
    economy.close()
    record, built = tmp_path / "economy" / "deployment.toml", economy.deployment
    record.write_text(record.read_text().replace(built.deposit, built.gate))
    said: list[str] = []
    again = opened(tmp_path, store, said=said)
    again.close()
    store.close()

    assert (economy.kept.stage, again.kept.stage) == ("live", "living")
    assert "begins anew: record says that 'deposit' is at " + built.gate in said[-1]


def test_without_a_season_the_chain_starts_now_with_the_contracts_and_nobody(tmp_path: Path, store: Store) -> None:
    economy = opened(tmp_path, store, enabled=False)
    life, _ = alive(tmp_path, store, economy, [])
    life.catch_up()
    found = (economy.kept.stage, economy.chain.block(0).time, list(economy.launches.launches()))
    left = economy.chain.block()
    economy.close()
    again = opened(tmp_path, store, enabled=False)

    assert found == ("none", END, [])
    assert again.chain.block() == left
    again.close()
    store.close()


def test_the_record_for_commands_is_put_right_at_each_start(tmp_path: Path, store: Store) -> None:
    economy = opened(tmp_path, store, enabled=False)
    economy.close()
    record = tmp_path / "deployments" / "eip155-31337.toml"
    right = record.read_text()
    record.write_text(right.replace("genesis", "another"))
    again = opened(tmp_path, store, enabled=False)
    again.close()
    store.close()

    assert record.read_text() == right
    assert again.deployment == economy.deployment


def test_people_review_where_there_is_no_season_and_simulated_reviewers_where_there_is_one(
    tmp_path: Path, store: Store
) -> None:
    empty = opened(tmp_path / "empty", store, enabled=False)
    made_up = opened(tmp_path / "season", store)
    seats = [item.launches.settings.reviewers for item in (empty, made_up)]
    empty.close()
    made_up.close()
    store.close()

    assert set(ACCOUNTS) < set(seats[0])
    assert seats[1] == reviewers(7)


def test_what_a_development_chain_says_is_simulated_and_what_another_says_is_not() -> None:
    assert [source_of(chain_id) for chain_id in (31337, 1337, 8453)] == [
        "simulated:chain-31337", "simulated:chain-1337", "onchain",
    ]  # fmt: skip
