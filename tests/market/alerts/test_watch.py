from datetime import date, timedelta
from decimal import Decimal

import pytest

from mercato.market.alerts import tables
from mercato.market.alerts.backtest import backtest
from mercato.market.alerts.model import Condition, Effect, Rule, State
from mercato.market.alerts.sampling import coverage, number
from mercato.market.alerts.watch import watch
from mercato.market.metrics.base import Sheet
from mercato.market.model import InputSet
from mercato.store import jobs, outbox
from mercato.store.model import State as JobState
from tests.market.simulated import market

FIRST = date(2025, 1, 1)
RULE = Rule("deep", "Deep", "drawdown", "drawdown", Condition("<=", Decimal("-0.5")), Condition(">", Decimal("-0.4")),
            closes=2, cooldown_days=2, channels=("page", "webhook", "log"))  # fmt: skip


@pytest.fixture
def post(tmp_path):
    made = market(tmp_path)
    yield made
    made.store.close()


def asker(values, **more):
    """Answers the drawdown of each day from a list; None is unknown."""

    def ask(name, query):
        sheet = Sheet(name, "T.1", query, InputSet("h" * 64, (), "test", 1))
        value = values[(query.as_of - FIRST).days]
        sheet.add("drawdown", None if value is None else str(value), "ratio", **more)
        return sheet.result()

    return ask


def run(post, values, **more):
    return [
        alert
        for n in range(len(values))
        for alert in watch(post, [RULE], FIRST + timedelta(days=n), ask=asker(values, **more), webhook=True)
    ]


def test_an_episode_is_told_at_its_start_and_its_end_and_written_once(post):
    values = [-0.1, -0.6, -0.6, -0.6, -0.3, -0.3, -0.3]
    told = run(post, values)
    again = run(post, values)

    with post.store.read() as session:
        stored, waiting = tables.latest(session), jobs.listing(session, JobState.WAITING)

    assert [(item.effect, item.day.day) for item in told] == [(Effect.FIRE, 3), (Effect.END, 6)]
    assert again == []
    assert {item.key for item in stored} == {item.key for item in told} == {job.key for job in waiting}


def test_missed_closes_are_caught_up_in_order(post):
    values = [-0.1, -0.6, -0.6, -0.6, -0.3, -0.3, -0.3]
    ask = asker(values)
    watch(post, [RULE], FIRST, ask=ask)
    told = watch(post, [RULE], FIRST + timedelta(days=6), ask=ask)

    assert [(item.effect, item.day.day) for item in told] == [(Effect.FIRE, 3), (Effect.END, 6)]


def test_thin_coverage_raises_nothing(post):
    assert run(post, [-0.6] * 5, coverage="0.90") == []


def test_the_page_is_told_by_an_event(post):
    run(post, [-0.6, -0.6])

    with post.store.transaction() as tx:
        outbox.relay(tx, {}, post.clock.now())
        names = [event.name for event in outbox.after(tx, 0)]

    assert names == ["market.AlertRaised"]


def test_an_episode_under_way_is_listed(post):
    run(post, [-0.6, -0.6])

    with post.store.read() as session:
        ((rule, entity, memory),) = tables.firing(session)

    assert (rule, entity, memory.state) == ("deep", "ai", State.FIRING)


def test_a_backtest_counts_each_month_and_stores_nothing(post):
    values = [-0.6, -0.6, -0.3, -0.3] + [-0.1] * 30 + [None, -0.6, -0.6]
    found = backtest(asker(values), RULE, FIRST, FIRST + timedelta(days=len(values) - 1))

    with post.store.read() as session:
        assert tables.latest(session) == []

    assert found.by_month == {"2025-01": 1, "2025-02": 1}
    assert (found.blind, found.closes) == (1, len(values))


def test_truths_shares_and_fractions_are_numbers():
    assert [number("yes"), number("false"), number("0.5"), number("up"), number(None)] == [
        1,
        0,
        Decimal("0.5"),
        None,
        None,
    ]
    assert [coverage("9/10"), coverage("0.97"), coverage(""), coverage("1/0")] == [
        Decimal("0.9"),
        Decimal("0.97"),
        None,
        None,
    ]
