"""Whole runs against a recorded source: plans, commits, faults in the middle, and going on after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from mercato.core.clock import HandClock
from mercato.core.errors import ConfigError, Conflict, NotFound
from mercato.core.settings import Secret
from mercato.market.connectors.connector import Context
from mercato.market.connectors.fetch import Desk, fetch
from mercato.market.connectors.queue import Queue
from mercato.market.connectors.registry import CONNECTORS, connector
from mercato.market.connectors.settings import SourceSettings
from mercato.market.connectors.sources import due, fetch_due, fetch_named, health
from mercato.market.connectors.spool import Spool
from mercato.market.connectors.testing import FolderRoom, RecordedSource, Reply, reply
from tests.market.connectors.conftest import EVM, MINT, NOON, UNIVERSE, everything_at

SHAPES = Path(__file__).parent / "shapes"


def shape(name: str, **more: object) -> Reply:
    return Reply((SHAPES / name).read_bytes(), **more)  # type: ignore[arg-type] # the rest goes through as it came


def play_everything(source: RecordedSource) -> None:
    source.play("/coins/markets", shape("coingecko_markets.json"))
    source.play("/global", shape("coingecko_global.json"))
    source.play("/coins/categories", shape("coingecko_categories.json"))
    for vendor in ("alpha-made-up", "beta-made-up"):
        source.play(f"/coins/{vendor}/market_chart", shape("coingecko_chart.json"))
    source.play(f"/prices/current/solana:{MINT},coingecko:alpha-made-up", shape("defillama_prices.json"))
    source.play("/chart/coingecko:alpha-made-up", shape("defillama_chart.json"))
    source.play(f"/chart/solana:{MINT}", reply({"coins": {}}))
    source.play("/stablecoins", shape("defillama_stablecoins.json"))
    source.play("/v2/chains", shape("defillama_chains.json"))
    source.play(f"/networks/base/tokens/multi/{EVM.lower()}", shape("geckoterminal_tokens.json"))
    source.play(f"/networks/solana/tokens/multi/{MINT}", reply({"data": []}))
    source.play(f"/tokens/v1/base/{EVM.lower()}", shape("dexscreener_tokens.json"))
    source.play(f"/tokens/v1/solana/{MINT}", reply([]))
    for symbol in ("one.us", "two.us"):
        source.play(f"/daily/{symbol}", shape("equities_daily.csv", media_type="text/csv"))
    source.play("/api/xbrl/companyfacts/CIK0000000001.json", shape("sec_companyfacts.json"))
    source.play("/api/xbrl/companyfacts/CIK0000000002.json", reply({"cik": 2, "facts": {"dei": {}}}))
    source.play("/submissions/CIK0000000002.json", shape("sec_submissions.json"))
    for filing in ("000000000226000009/two-20260930", "000000000226000007/two-20260630"):
        source.play(f"/Archives/edgar/data/2/{filing}.htm", shape("sec_cover.htm", media_type="text/html"))


@pytest.mark.parametrize("name", CONNECTORS)
def test_every_source_runs_from_plan_to_rows(name: str, source: RecordedSource, desk: Desk, room: FolderRoom) -> None:
    play_everything(source)

    report = fetch(connector(name), desk)

    assert [step for step in report.steps if step.outcome not in ("committed", "known")] == []
    assert report.finished
    assert report.rows == len(room.rows()) > 0
    assert {raw.source for raw in room.documents} == {connector(name).observed_as}


def test_the_mapping_that_was_asked_with_is_kept_with_the_document(source: RecordedSource, desk: Desk) -> None:
    play_everything(source)
    fetch(connector("coingecko"), desk)

    room = desk.room
    assert isinstance(room, FolderRoom)
    raw = room.documents[0]
    assert json.loads(raw.options["assets"]) == {"alpha-made-up": "tok:alpha", "beta-made-up": "tok:beta"}
    assert raw.request == (
        f"GET {source.url}/coins/markets?vs_currency=usd&ids=alpha-made-up%2Cbeta-made-up&per_page=250&page=1"
    )
    assert (raw.observed_at, raw.media_type) == (NOON, "application/json")


def test_no_key_is_in_anything_that_is_kept(source: RecordedSource, desk: Desk, tmp_path: Path) -> None:
    key = "made-up-key-0123456789"
    play_everything(source)
    source.play("/global", Reply(status=401, body=b"bad key"))
    settings = everything_at(source.url, coingecko_plan="demo", coingecko_key=Secret(key))
    keyed = Desk(desk.room, desk.notebook, settings, desk.clock, desk.folder)

    report = fetch(connector("coingecko"), keyed)

    assert source.seen[0].headers["x-cg-demo-api-key"] == key
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    told = [repr(keyed), repr(report), repr(desk.notebook.load("coingecko")), repr(health(keyed))]
    room = desk.room
    assert isinstance(room, FolderRoom)
    assert [text for text in [*told, *map(repr, room.documents)] if key in text] == []
    assert [body for body in kept if key.encode() in body] == []


def test_a_refused_key_ends_the_run_instead_of_trying_every_page(source: RecordedSource, desk: Desk) -> None:
    source.play("/coins/alpha-made-up/market_chart", Reply(status=401))

    report = fetch(connector("coingecko-daily"), desk)

    assert (report.finished, len(source.seen)) == (False, 1)
    assert "answered 401" in report.reason


def test_one_bad_document_does_not_cost_the_others(source: RecordedSource, desk: Desk, room: FolderRoom) -> None:
    play_everything(source)
    source.play("/coins/markets", Reply(b'[{"id": "alpha-ma'))
    source.play("/global", Reply(status=404))

    report = fetch(connector("coingecko"), desk)

    assert [step.outcome for step in report.steps] == ["refused", "failed", "committed"]
    assert room.documents[0].content == b'[{"id": "alpha-ma'  # the bytes are kept, with their reject
    assert {row[0] for row in room.rows()} == {"ref:ai"}
    assert "answered 404" in Queue("coingecko", desk.notebook).record.last_error


def test_a_chart_that_failed_is_asked_for_again_from_where_it_was(
    source: RecordedSource, desk: Desk, clock: HandClock
) -> None:
    play_everything(source)
    source.play("/coins/beta-made-up/market_chart", Reply(b"<html>", media_type="text/html"))
    fetch(connector("coingecko-daily"), desk)
    clock.move(timedelta(days=3))
    source.seen.clear()

    fetch(connector("coingecko-daily"), desk)

    assert [(item.path.split("/")[2], item.query["days"]) for item in source.seen] == [
        ("alpha-made-up", ["6"]),
        ("beta-made-up", ["365"]),
    ]


@pytest.mark.parametrize(("plan", "days"), [("pro", "731"), ("demo", "365")])
def test_since_sets_how_far_back_histories_go_as_far_as_the_plan_allows(
    source: RecordedSource, desk: Desk, plan: str, days: str
) -> None:
    play_everything(source)
    settings = everything_at(source.url, coingecko_plan=plan, coingecko_key=Secret("made-up-key-0123456789"))
    keyed = Desk(desk.room, desk.notebook, settings, desk.clock, desk.folder)

    fetch(connector("coingecko-daily"), keyed, since=date(2024, 11, 15))

    assert source.seen[0].query == {"vs_currency": ["usd"], "days": [days], "interval": ["daily"]}


def test_sources_of_one_account_keep_its_limit_together(
    source: RecordedSource, room: FolderRoom, desk: Desk, clock: HandClock
) -> None:
    play_everything(source)
    settings = everything_at(source.url, coingecko_per_minute=6.0)
    slow = Desk(room, desk.notebook, settings, clock, desk.folder)

    fetch_named(slow, ["coingecko", "coingecko-daily", "coingecko-hourly"])

    assert len(source.seen) == 7
    assert clock.slept == pytest.approx([10.0, 10.0])  # a burst of five, then one in ten seconds


def test_a_long_429_ends_the_run_and_the_next_one_goes_on(
    source: RecordedSource, desk: Desk, room: FolderRoom, clock: HandClock
) -> None:
    play_everything(source)
    source.play("/global", Reply(status=429, headers={"retry-after": "600"}), shape("coingecko_global.json"))

    first = fetch(connector("coingecko"), desk)
    assert (first.finished, first.retry_at, first.count("committed")) == (False, "2026-11-15T12:10:00+00:00", 1)
    assert "coingecko" not in due(desk)
    clock.move(timedelta(minutes=10))
    assert "coingecko" in due(desk)
    second = fetch(connector("coingecko"), desk)

    assert (second.finished, second.count("committed")) == (True, 2)
    assert source.paths() == ["/coins/markets", "/global", "/global", "/coins/categories"]


def test_an_unfinished_run_of_days_ago_is_planned_anew(source: RecordedSource, desk: Desk, clock: HandClock) -> None:
    play_everything(source)
    source.play("/global", Reply(status=429, headers={"retry-after": "600"}), shape("coingecko_global.json"))
    fetch(connector("coingecko"), desk)
    clock.move(timedelta(days=3))

    report = fetch(connector("coingecko"), desk)

    assert len(report.steps) == 3


def test_the_budget_of_an_account_is_shared_and_never_overspent(source: RecordedSource, desk: Desk) -> None:
    play_everything(source)
    settings = everything_at(source.url, coingecko_monthly_calls=4)
    tight = Desk(desk.room, desk.notebook, settings, desk.clock, desk.folder)

    reports = fetch_named(tight, ["coingecko", "coingecko-daily"])

    assert [report.finished for report in reports] == [True, False]
    assert reports[1].retry_at == "2026-12-01T00:00:00+00:00"
    assert "resets on 2026-12-01" in reports[1].reason
    assert len(source.seen) == 4


def test_an_unchanged_document_is_asked_for_by_its_tag_and_not_committed(source: RecordedSource, desk: Desk) -> None:
    tagged = shape("defillama_chains.json", headers={"etag": '"made-up-1"'})
    play_everything(source)
    source.play("/v2/chains", tagged, Reply(status=304))
    fetch(connector("defillama"), desk)
    source.seen.clear()

    report = fetch(connector("defillama"), desk)

    assert [step.outcome for step in report.steps] == ["known", "known", "unchanged"]
    assert source.seen[-1].headers["if-none-match"] == '"made-up-1"'


def test_a_source_that_is_down_opens_its_circuit_and_keeps_its_queue(
    source: RecordedSource, desk: Desk, clock: HandClock
) -> None:
    source.play("/coins/markets", Reply(status=500))
    source.play("/global", Reply(status=500))

    report = fetch(connector("coingecko"), desk)

    assert (report.finished, len(source.seen)) == (False, 5)
    (state,) = [item for item in health(desk) if item.source == "coingecko"]
    assert (state.state, state.circuit, state.budget.used) == ("stopped", "open", 5)
    assert state.next_due > clock.now()


def test_health_says_what_is_missing_and_what_was_used(source: RecordedSource, desk: Desk) -> None:
    play_everything(source)
    assert {item.source: item.state for item in health(desk)} == dict.fromkeys(CONNECTORS, "new")
    fetch(connector("coingecko"), desk)

    found = {item.source: item for item in health(desk)}
    assert (found["coingecko"].state, found["coingecko"].last_ok) == ("ok", NOON)
    assert found["coingecko"].next_due == NOON + timedelta(hours=1)
    assert (found["coingecko-daily"].budget.used, found["coingecko-daily"].budget.left) == (3, 9_997)


def test_a_source_that_is_not_set_up_is_off_and_not_due(desk: Desk) -> None:
    bare = Desk(desk.room, desk.notebook, SourceSettings(), desk.clock, desk.folder)

    states = {item.source: item.state for item in health(bare)}

    assert (states["equities"], states["sec"]) == ("off", "off")
    assert not {"equities", "sec"} & set(due(bare))
    with pytest.raises(ConfigError, match=r"sources\.contact"):
        fetch(connector("sec"), bare)


def test_the_schedule_fetches_what_is_due_and_nothing_twice(source: RecordedSource, desk: Desk) -> None:
    play_everything(source)

    assert {report.source for report in fetch_due(desk)} == set(CONNECTORS) - {"coingecko-hourly"}
    assert fetch_due(desk) == []


def test_one_process_at_a_time_works_on_a_source(source: RecordedSource, desk: Desk) -> None:
    play_everything(source)

    with Spool(desk.folder / "coingecko").held("coingecko"):
        with pytest.raises(Conflict, match="another process"):
            fetch(connector("coingecko"), desk)
        assert [report.source for report in fetch_due(desk) if not report.finished] == ["coingecko"]


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"'yahoo'.*coingecko, coingecko-daily"):
        connector("yahoo")


def test_equities_may_come_from_a_folder(source: RecordedSource, desk: Desk, room: FolderRoom, tmp_path: Path) -> None:
    folder = tmp_path / "closes"
    folder.mkdir()
    (folder / "one.us.csv").write_bytes((SHAPES / "equities_daily.csv").read_bytes())
    settings = everything_at(source.url, equities_url="", equities_folder=str(folder))

    report = fetch(connector("equities"), Desk(desk.room, desk.notebook, settings, desk.clock, desk.folder))

    assert (report.finished, report.rows, source.seen) == (True, 6, [])
    assert {row[0] for row in room.rows()} == {"eq:one"}


def test_an_address_with_an_unknown_placeholder_is_refused(desk: Desk, source: RecordedSource) -> None:
    settings = everything_at(source.url, equities_url="https://closes.invalid/{ticker}")

    with pytest.raises(ConfigError, match="equities_url was"):
        fetch(connector("equities"), Desk(desk.room, desk.notebook, settings, desk.clock, desk.folder))


def test_plans_ask_only_for_the_home_chain() -> None:
    context = Context(UNIVERSE, SourceSettings(), NOON)

    urls = [request.url for request in connector("geckoterminal").plan(context)]

    assert urls == [
        f"https://api.geckoterminal.com/api/v2/networks/base/tokens/multi/{EVM.lower()}",
        f"https://api.geckoterminal.com/api/v2/networks/solana/tokens/multi/{MINT}",
    ]


PAGES = 10
WORKER = Path(__file__).parent / "fetch_worker.py"


NIGHTLY = pytest.mark.nightly


@pytest.mark.parametrize("moment", [3, *(pytest.param(moment, marks=NIGHTLY) for moment in (0, 1, 2, 4))])
def test_a_killed_run_goes_on_and_nothing_is_lost_or_doubled_or_fetched_twice(
    home: Path, tmp_path: Path, moment: int
) -> None:
    """A real market, killed while it fetches; the second run commits every page exactly once."""
    with RecordedSource() as source:
        for page in range(PAGES):
            body = {"prices": [[1794743700000 + page, page + 1]], "market_caps": [], "total_volumes": []}
            source.play(f"/coins/coin-{page}/market_chart", reply(body, delay=0.02))
        command = [sys.executable, str(WORKER), source.url, str(PAGES)]
        environment = {**os.environ, "MERCATO_HOME": str(home)}
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        while len(source.seen) < 2 + moment * 2 and first.poll() is None:
            time.sleep(0.002)
        time.sleep(0.03 * moment)  # in the middle of an answer, a commit, or between them
        os.kill(first.pid, signal.SIGKILL)
        first.wait()

        second = subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment)

        report = json.loads(second.stdout)
        counts = Counter(source.paths())
        assert first.returncode == -signal.SIGKILL
        assert report["finished"] is True
        assert len(report["segments"]) == len(set(report["segments"])) == PAGES
        assert set(counts) == {f"/coins/coin-{page}/market_chart" for page in range(PAGES)}
        assert len([path for path, count in counts.items() if count > 1]) <= 1  # one may have been on its way
