from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from mercato.market.alerts.machine import TRANSITIONS, follow, signal, step
from mercato.market.alerts.model import Condition, Effect, Memory, Rule, Sample, Signal, State

DAY = date(2025, 1, 1)
RULE = Rule("r", "A rule", "drawdown", "drawdown", Condition("<=", Decimal("-0.5")), Condition(">", Decimal("-0.4")))

signals = st.lists(st.sampled_from(Signal), max_size=60)
rules = st.builds(
    Rule,
    key=st.just("r"),
    title=st.just("A rule"),
    metric=st.just("drawdown"),
    figure=st.just("drawdown"),
    enter=st.just(RULE.enter),
    leave=st.just(RULE.leave),
    closes=st.integers(1, 4),
    cooldown_days=st.integers(0, 5),
)


def closes(said):
    return [(Sample("x", DAY + timedelta(days=n), Decimal(0), "fig_x"), item) for n, item in enumerate(said)]


def at(day, alerts):
    return [alert for alert in alerts if alert.day == day]


def test_every_reachable_case_is_in_the_table():
    # HOLD and BLIND are never ripe outside COOLING, because they are not counted.
    unreachable = {
        (state, said, True) for state, said in product(State, (Signal.HOLD, Signal.BLIND)) if state is not State.COOLING
    }

    assert set(TRANSITIONS) == set(product(State, Signal, (True, False))) - unreachable


@given(rules, signals)
def test_firing_and_ending_take_turns_and_episodes_count_up(rule, said):
    alerts = follow(rule, closes(said))

    assert all(left.effect is not right.effect for left, right in pairwise(alerts))
    assert all(alert.effect is Effect.FIRE for alert in alerts[:1])
    assert [alert.episode for alert in alerts] == [n // 2 + 1 for n in range(len(alerts))]
    assert len({alert.key for alert in alerts}) == len(alerts)


@given(rules, signals)
def test_an_alert_is_raised_only_by_a_close_that_says_so(rule, said):
    for alert in follow(rule, closes(said)):
        spoken = said[(alert.day - DAY).days]

        assert spoken is {Effect.FIRE: Signal.ENTER, Effect.END: Signal.LEAVE}[alert.effect]


@given(rules, signals)
def test_nothing_fires_before_enough_closes_agree(rule, said):
    for alert in follow(rule, closes(said)):
        heard = [item for item in said[: (alert.day - DAY).days + 1] if item is not Signal.BLIND]

        assert len(set(heard[-rule.closes :])) == 1
        assert len(heard) >= rule.closes


@given(rules, signals)
def test_nothing_starts_during_the_cooldown(rule, said):
    alerts = follow(rule, closes(said))
    ends = {alert.episode: alert.day for alert in alerts if alert.effect is Effect.END}
    starts = {alert.episode: alert.day for alert in alerts if alert.effect is Effect.FIRE}

    assert all(
        (starts[episode + 1] - day).days > rule.cooldown_days for episode, day in ends.items() if episode + 1 in starts
    )


@given(rules, signals)
def test_seeing_a_day_again_changes_nothing(rule, said):
    memory = Memory()
    for sample, item in closes(said):
        memory, _ = step(rule, memory, sample, item)

        assert step(rule, memory, sample, Signal.ENTER) == (memory, None)


@given(rules, signals, st.integers(0, 60))
def test_a_restart_in_the_middle_raises_the_same_alerts(rule, said, cut):
    series = closes(said)
    memory, first = Memory(), []
    for sample, item in series[:cut]:
        memory, alert = step(rule, memory, sample, item)
        first.append(alert)

    assert [alert for alert in first if alert] + follow(rule, series[cut:], memory) == follow(rule, series)


def test_thin_coverage_and_unknown_values_are_blind():
    thin = Sample("x", DAY, Decimal("-0.9"), "fig_x", coverage=Decimal("0.97"))
    unknown = Sample("x", DAY, None, "fig_x", coverage=Decimal(1))

    assert [signal(RULE, thin), signal(RULE, unknown)] == [Signal.BLIND, Signal.BLIND]


def test_the_deadband_holds_and_an_undiscovered_entry_does_not_enter():
    between = Sample("x", DAY, Decimal("-0.45"), "fig_x")
    deep = Sample("x", DAY, Decimal("-0.60"), "fig_x")

    assert signal(RULE, between) is Signal.HOLD
    assert signal(RULE, deep) is Signal.ENTER
    assert signal(RULE, deep, discovered=False) is Signal.HOLD
