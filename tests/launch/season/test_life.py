from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mercato.core.errors import NotFound
from mercato.launch import tables
from mercato.launch.season.agents import agents
from mercato.launch.season.applying import application
from mercato.launch.season.clock import SeasonClock
from mercato.launch.season.progress import Announcer, Progress
from mercato.launch.season.state import Kept, read, write
from mercato.launch.service import Launches
from mercato.store import Store, outbox
from mercato.store.testing import sqlite_store
from tests.launch.season.conftest import Past, alive, opened


@pytest.mark.xdist_group("season-present")
def test_trading_goes_on_in_the_present_until_it_is_stopped(tmp_path: Path, past: Past) -> None:
    store = past.again(tmp_path)
    economy = opened(tmp_path, store)
    present = threading.Event()
    life, _ = alive(tmp_path, store, economy, [], a_second=1000, seconds=0.2, present=present.set)
    life.start()
    assert present.wait(60)
    before = economy.chain.block()
    while economy.chain.block().number < before.number + 5:
        time.sleep(0.1)
    life.stop()
    stopped = economy.chain.block()
    economy.close()
    store.close()

    assert life.board.read().stage == "live"
    assert abs(stopped.time - time.time()) < 120
    assert [receipt.reason for receipt in economy.world.refused] == []


def test_the_clock_stands_where_it_is_put_and_goes_when_it_is_let_go() -> None:
    clock = SeasonClock()
    clock.stand(1_000_000)
    clock.sleep(60)
    stood = clock.now()
    clock.go()

    assert stood == datetime(1970, 1, 12, 13, 47, 40, tzinfo=UTC)
    assert abs(clock.seconds() - time.time()) < 60


def test_progress_reaches_open_pages_at_every_stage_and_some_times_between(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    announce = Announcer(store)
    for done in range(1000):
        announce(Progress("living", 1, 36, "trading", done))
    announce(Progress("live"))
    with store.read() as session:
        waiting = outbox.waiting(session)
    store.close()

    assert waiting == 41


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"seed": 7, "end": 1, "size": "full", "stage": "odd"}'])
def test_what_is_kept_of_a_season_must_be_readable(tmp_path: Path, text: str) -> None:
    path = tmp_path / "season.json"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"season\.json"):
        read(path)


def test_what_is_kept_of_a_season_reads_back(tmp_path: Path) -> None:
    kept = Kept(7, 1_700_000_000, "full", "live")
    write(tmp_path / "season.json", kept)

    assert read(tmp_path / "season.json") == kept
    assert read(tmp_path / "nothing.json") is None


def test_forgetting_a_season_leaves_what_people_applied_with(tmp_path: Path, either: Store) -> None:
    economy = opened(tmp_path, either, enabled=False)
    room: Launches = economy.launches
    made_up = room.apply(application(agents()[0], 7), simulated=True)
    mine = room.apply(application(agents()[1], 7))
    with either.transaction() as tx:
        gone = tables.forget(tx)
    economy.close()

    assert gone == 1
    assert [item.id for item in room.launches()] == [mine.id]
    with pytest.raises(NotFound):
        room.launch(made_up.id)
