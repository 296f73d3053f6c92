"""Importing is idempotent, in any order of files and rows, and survives being killed at any moment."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.core.clock import HandClock
from mercato.market.model import Query
from mercato.market.service import Market
from mercato.store.testing import sqlite_store
from tests.market.layers.conftest import ASSETS, NOW
from tests.market.layers.victim import HEADER, import_all, import_and_wait
from tests.profiles import examples

LAST = date(2025, 5, 31)
COLUMNS = ["asset_id", "day", "price", "supply", "supply_tier", "volume", "cap", "state", "weight"]


def opened(home: Path) -> Market:
    home.mkdir(exist_ok=True)
    return Market(sqlite_store(home), home, HandClock(NOW))


def panel(market: Market, as_of: date = LAST):
    with market.inputs(Query(as_of)) as inputs:
        rows = inputs.panel.select(*COLUMNS).order_by(["asset_id", "day"])
        return inputs.engine.run(rows).to_pylist()


lines = st.dictionaries(
    st.tuples(
        st.sampled_from(["aaa", "bbb", "bbb-bridged"]),
        st.sampled_from(["price_usd", "supply_circulating", "volume_usd_24h"]),
        st.integers(0, 9),
    ),
    st.integers(1, 1000),
    min_size=2,
    max_size=30,
)


@settings(max_examples=examples(4))
@given(lines=lines, seed=st.integers(0, 1000))
def test_any_order_of_files_and_rows_and_any_repetition_gives_the_same_panel(lines, seed):
    shuffle = random.Random(seed)
    rows = [f"{a},{f},{date(2025, 5, 10) + timedelta(days=d)},{v}\n" for (a, f, d), v in lines.items()]
    by_day = sorted(rows, key=lambda row: row.split(",")[2])
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "assets.toml").write_text(ASSETS)
        one, many = opened(home / "one"), opened(home / "many")
        (home / "all.csv").write_text(HEADER + "".join(shuffle.sample(rows, len(rows))))
        one.import_file(home / "all.csv", "test", assets=home / "assets.toml")
        parts = [by_day[: len(rows) // 2], by_day[len(rows) // 2 :]]
        shuffle.shuffle(parts)
        for number, part in enumerate([*parts, parts[0]]):
            (home / f"{number}.csv").write_text(HEADER + "".join(part))
            many.import_file(home / f"{number}.csv", "test", assets=home / "assets.toml")
            panel(many)  # builds after each part, so that the last build is an incremental one

        assert panel(many) == panel(one)
        assert len(many.segments()) == len({tuple(part) for part in parts})


def test_the_same_file_again_changes_nothing(market, assets, file):
    path = file("aaa,price_usd,2025-05-01,1.5\n")
    first = market.import_file(path, "test", assets=assets)

    second = market.import_file(path, "test", assets=assets)

    assert (first.fresh, second.fresh) == (True, False)
    assert first.segment == second.segment
    assert len(market.segments()) == 1


def test_a_file_is_read_again_once_an_asset_that_it_spoke_of_is_known(market, assets, file, tmp_path):
    path = file("aaa,price_usd,2025-05-01,1.5\nnew,price_usd,2025-05-01,3\n")
    market.import_file(path, "test", assets=assets)
    (tmp_path / "new.toml").write_text('[[asset]]\nasset_id = "new"\nsymbol = "N"\nname = "New"\nkind = "token"\n')

    receipt = market.import_file(path, "test", assets=tmp_path / "new.toml")

    assert (receipt.fresh, receipt.rows, receipt.rejected) == (True, {"observations": 2}, 0)
    assert len(market.segments()) == 1
    assert market.quarantine() == []


def test_a_correction_counts_from_when_it_was_known(market, assets, file):
    early, late = datetime(2025, 5, 2, tzinfo=UTC), datetime(2025, 5, 20, tzinfo=UTC)
    market.import_file(file("aaa,price_usd,2025-05-01,1\n", "a.csv"), "test", assets=assets, observed_at=early)
    market.import_file(file("aaa,price_usd,2025-05-01,2\n", "b.csv"), "test", observed_at=late)

    def price(known_at):
        with market.inputs(Query(date(2025, 5, 1), known_at=known_at)) as inputs:
            return [row["price"] for row in inputs.engine.rows(inputs.panel)]

    assert price(None) == [2.0]
    assert price(datetime(2025, 5, 10, tzinfo=UTC)) == [1.0]
    assert price(datetime(2025, 5, 1, tzinfo=UTC)) == []


def test_a_change_of_old_days_rebuilds_what_follows(market, assets, file):
    market.import_file(file("aaa,price_usd,2025-05-01,1\naaa,price_usd,2025-05-09,9\n", "a.csv"), "x", assets=assets)
    before = panel(market)
    market.import_file(file("aaa,supply_circulating,2025-05-02,10\n", "b.csv"), "x")

    after = panel(market)

    assert [row["cap"] for row in before[:2]] == [None, None]
    assert [row["cap"] for row in after[:2]] == [None, 10_000_000]
    assert len(after) == len(before)


def test_the_built_files_come_back_when_they_are_lost(market, assets, file):
    market.import_file(file("aaa,price_usd,2025-05-01,1\n"), "test", assets=assets)
    before = panel(market)
    for path in market.folders.panel.glob("*.parquet"):
        path.unlink()

    assert panel(market) == before


def test_replay_gives_equal_hashes(market, assets, file):
    market.import_file(file("aaa,price_usd,2025-05-01,1\nzzz,price_usd,2025-05-01,1\n"), "test", assets=assets)

    answer = market.replay()

    assert answer["equal"] is True
    assert answer["first"] == answer["second"] == answer["stored"]


def test_killing_an_import_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path):
    draw = random.Random(4)
    (tmp_path / "assets.toml").write_text(ASSETS)
    for number in range(4):
        days = [date(2025, 1, 1) + timedelta(days=30 * number + step) for step in range(30)]
        rows = [f"{a},price_usd,{day},{draw.randint(1, 99)}\n" for day in days for a in ("aaa", "bbb", "zzz")]
        (tmp_path / f"{number}.csv").write_text(HEADER + "".join(rows))
    clean = opened(tmp_path / "clean")
    import_all(clean, tmp_path)
    home = tmp_path / "killed"
    opened(home)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.market.layers.victim"])
    ended = []
    for _ in range(50):
        victim = context.Process(target=import_and_wait, args=(tmp_path, home))
        victim.start()
        time.sleep(draw.uniform(0, 0.7))
        victim.kill()
        victim.join()
        ended.append(victim.exitcode)

    killed = opened(home)
    import_all(killed, tmp_path)

    assert ended == [-signal.SIGKILL] * 50
    assert panel(killed) == panel(clean)
    assert sorted(item.id for item in killed.segments()) == sorted(item.id for item in clean.segments())
    assert len(killed.quarantine()) == len(clean.quarantine()) == 120
    with killed._store.read() as session:
        events = session.execute(sa.text("SELECT body FROM store_event")).all()
    assert len(events) == 4, "each segment was announced once"


def test_what_a_killed_process_left_behind_is_swept_with_a_later_import(market, assets, file):
    market.folders.make()
    left = market.folders.work / "left"
    left.mkdir()
    (left / "raw.zst").write_bytes(b"half")
    os.utime(left, (0, 0))

    market.import_file(file("aaa,price_usd,2025-05-01,1\n"), "test", assets=assets)

    assert not left.exists()
