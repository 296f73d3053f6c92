"""A policy decides by effects: default no, first match, and never by any text from outside."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.kit import Authority, Effects, Grant, Origin, Policy, Power, Verdict
from mercato.kit.errors import BadPolicy
from mercato.kit.model import Move, Payment, Written
from mercato.kit.rules import Rule
from mercato.kit.testing import (
    ACCOUNT,
    DOLLAR,
    ETH,
    FRIEND,
    NOON,
    POOL,
    SMALL_PAYMENTS,
    STRANGER,
    USD,
    intent,
    payment,
)  # fmt: skip

POLICY = Policy.parse(SMALL_PAYMENTS)
DIME = 10**6
HEAD: dict[str, Any] = {"version": 1, "assets": tomllib.loads(SMALL_PAYMENTS)["assets"]}
ANYTHING = {
    "name": "anything", "verdict": "allow", "spend": {"USD": "any", "ETH": "any"}, "recipients": ["any"],
    "contracts": ["any"],
}  # fmt: skip


def policy(*rules: dict[str, Any], budgets: tuple[dict[str, Any], ...] = ()) -> Policy:
    return Policy.of({**HEAD, "rules": list(rules), "budgets": list(budgets)})


def verdict(of: Policy, effects: Effects, **changes: Any) -> Verdict:
    return of.judge(intent(**changes), effects, changes.get("at", NOON)).verdict


def test_an_empty_policy_denies_everything() -> None:
    empty = Policy.of({"version": 1})

    assert verdict(empty, Effects()) is Verdict.DENY
    assert empty.judge(intent(), Effects(), NOON).why == "no rule speaks of it"


@pytest.mark.parametrize(
    ("effects", "said", "rule"),
    [
        (payment(100 * DIME), Verdict.ALLOW, "small"),
        (payment(100 * DIME + 1), Verdict.ASK, "large"),
        (payment(1_000 * DIME + 1), Verdict.DENY, ""),
        (payment(1, STRANGER), Verdict.DENY, "never strangers"),
        (payment(1, POOL), Verdict.DENY, ""),
        (payment(1, asset=ETH, fee_asset=ETH, fee=10**16), Verdict.DENY, ""),
        (payment(1, fee_asset=ETH, fee=10**16), Verdict.ALLOW, "small"),
        (payment(1, contracts=(USD, POOL)), Verdict.DENY, ""),
        (payment(1, creations=(POOL,)), Verdict.DENY, ""),
        (payment(1, grants=(Grant(DOLLAR, FRIEND, 0, 1),)), Verdict.DENY, ""),
        (payment(1, grants=(Grant(DOLLAR, FRIEND, 1, 0),)), Verdict.ALLOW, "small"),
        (payment(1, authorities=(Authority(Power.OPERATOR, DOLLAR, FRIEND, True),)), Verdict.DENY, ""),
        (payment(1, authorities=(Authority(Power.OPERATOR, DOLLAR, FRIEND, False),)), Verdict.ALLOW, "small"),
        (payment(1, impact_bps=0), Verdict.DENY, ""),
        (payment(1, gaps=("a token answered nonsense",)), Verdict.DENY, ""),
    ],
)
def test_a_permit_covers_every_effect_or_does_not_fit(effects: Effects, said: Verdict, rule: str) -> None:
    found = POLICY.judge(intent(), effects, NOON)

    assert (found.verdict, found.rule, found.policy) == (said, rule, POLICY.hash)
    assert found.why


def test_explain_names_every_rule_up_to_the_one_that_decided() -> None:
    assert POLICY.explain(intent(), payment(200 * DIME), NOON) == [
        ("never strangers", "it pays none of them"),
        ("small", f"it spends {200 * DIME} of {DOLLAR}"),
        ("large", ""),
    ]


def test_what_is_allowed_reserves_each_budget_it_touches() -> None:
    (reserve,) = POLICY.judge(intent(), payment(7), NOON).reserves

    assert (reserve.budget, reserve.units, reserve.cap, reserve.seconds) == ("day", 7, 500 * DIME, 86_400)
    assert POLICY.judge(intent(), payment(7), NOON).approvers == ()
    assert POLICY.judge(intent(), payment(200 * DIME), NOON).approvers == ("treasurer",)


def test_a_budget_counts_by_recipient_action_or_account() -> None:
    budgets = tuple({"name": per, "asset": "USD", "cap": "5", "per": per} for per in ("recipient", "action", "account"))
    parts = (Payment(DOLLAR, FRIEND, 1), Payment(DOLLAR, POOL, 3), Payment(DOLLAR, FRIEND, 1))
    two = replace(payment(5), payments=parts)

    found = policy(ANYTHING, budgets=budgets).judge(intent(), two, NOON).reserves

    assert [(item.budget, item.scope, item.units) for item in found] == [
        ("recipient", FRIEND, 2), ("recipient", POOL, 3), ("action", "transfer", 5), ("account", ACCOUNT, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "moved", "said"),
    [
        ({"hours": "08:00-18:00"}, 0, Verdict.ALLOW),
        ({"hours": "08:00-18:00"}, 6, Verdict.DENY),
        ({"hours": "22:00-13:00"}, 0, Verdict.ALLOW),
        ({"hours": "22:00-13:00"}, 1, Verdict.DENY),
        ({"days": ["mon"]}, 0, Verdict.ALLOW),
        ({"days": ["mon"]}, 24, Verdict.DENY),
        ({"until": "2026-03-02T13:00:00Z"}, 0, Verdict.ALLOW),
        ({"until": "2026-03-02T13:00:00Z"}, 1, Verdict.DENY),
    ],
)
def test_a_rule_is_in_force_at_its_times_only(hours: dict[str, Any], moved: int, said: Verdict) -> None:
    assert verdict(policy({**ANYTHING, **hours}), payment(1), at=NOON + timedelta(hours=moved)) is said


def test_a_trade_needs_a_bound_on_its_price_impact() -> None:
    bounded = policy({**ANYTHING, "impact_bps": 50})

    assert verdict(bounded, payment(1, impact_bps=50)) is Verdict.ALLOW
    assert verdict(bounded, payment(1, impact_bps=51)) is Verdict.DENY


def test_only_the_operator_and_mandates_hand_out_authorities() -> None:
    grants = {"authorities": ["operator"], "origins": ["operator", "mandate"]}
    given = payment(1, authorities=(Authority(Power.OPERATOR, DOLLAR, FRIEND, True),))

    with pytest.raises(BadPolicy, match="hands out authorities"):
        policy({**ANYTHING, "authorities": ["operator"]})
    assert verdict(policy({**ANYTHING, **grants}), given, origin=Origin.OPERATOR) is Verdict.ALLOW
    assert verdict(policy({**ANYTHING, **grants}), given, origin=Origin.AGENT) is Verdict.DENY


def test_an_agent_hands_out_no_authority_even_by_a_rule_that_no_policy_could_hold() -> None:
    rule = Rule("loose", Verdict.ALLOW, authorities=frozenset({Power.OPERATOR}))
    given = Effects(authorities=(Authority(Power.OPERATOR, USD, POOL, True),))

    assert rule.miss(intent(origin=Origin.OPERATOR), given, NOON) is None
    assert rule.miss(intent(), given, NOON) == ("authorities", f"operator for {POOL}")


def test_a_contract_that_may_be_called_may_be_paid() -> None:
    made = policy({**ANYTHING, "recipients": [FRIEND], "contracts": [USD, POOL]})

    assert verdict(made, payment(1, POOL)) is Verdict.ALLOW
    assert verdict(made, payment(1, STRANGER)) is Verdict.DENY


def test_what_changes_nothing_is_permitted_by_name_only() -> None:
    assert verdict(policy(ANYTHING), Effects()) is Verdict.DENY
    assert verdict(policy({**ANYTHING, "actions": ["transfer"]}), Effects()) is Verdict.ALLOW


def test_the_reason_is_of_the_last_permit_that_speaks_of_the_action() -> None:
    near = {**ANYTHING, "name": "near", "recipients": [FRIEND]}
    other = {**ANYTHING, "name": "other", "actions": ["wrap"]}

    said = policy(near, other).judge(intent(), payment(1, STRANGER), NOON).why

    assert said.startswith(f"no rule permits it: of 'near', it pays {STRANGER}")


def test_an_allowance_is_bounded_in_size_and_by_spender() -> None:
    bounded = policy({**ANYTHING, "grants": {"USD": "5"}, "spenders": [POOL.upper().replace("X", "x")]})

    assert verdict(bounded, payment(1, grants=(Grant(DOLLAR, POOL, 0, 5 * DIME),))) is Verdict.ALLOW
    assert verdict(bounded, payment(1, grants=(Grant(DOLLAR, POOL, 0, 5 * DIME + 1),))) is Verdict.DENY
    assert verdict(bounded, payment(1, grants=(Grant(DOLLAR, FRIEND, 0, 1),))) is Verdict.DENY
    assert verdict(bounded, payment(1, grants=(Grant(ETH, POOL, 0, 1),))) is Verdict.DENY


@pytest.mark.parametrize(
    ("ban", "hit"),
    [
        ({"above": {"USD": "5"}}, payment(5 * DIME + 1)),
        ({"contracts": [USD]}, payment(1)),
        ({"spenders": ["any"]}, payment(1, grants=(Grant(DOLLAR, POOL, 0, 1),))),
        ({"grants_above": {"USD": "0"}}, payment(1, grants=(Grant(DOLLAR, POOL, 0, 1),))),
        ({"authorities": ["owner"]}, payment(1, authorities=(Authority(Power.OWNER, USD, POOL, True),))),
        ({"actions": ["transfer"]}, payment(1)),
    ],
)
def test_a_ban_before_a_permit_wins(ban: dict[str, Any], hit: Effects) -> None:
    trusting = {**ANYTHING, "origins": ["operator"], "authorities": ["owner"], "spenders": ["any"]}
    open_handed = {**trusting, "grants": {"USD": "any"}}
    banned = policy({"name": "no", "verdict": "deny", **ban}, open_handed)

    assert verdict(policy(open_handed), hit, origin=Origin.OPERATOR) is Verdict.ALLOW
    assert banned.judge(intent(origin=Origin.OPERATOR), hit, NOON).rule == "no"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rules": [{**ANYTHING, "spends": {}}]}, "spends"),
        ({"rules": [{**ANYTHING, "spend": {"EUR": "1"}}]}, "EUR"),
        ({"rules": [{**ANYTHING, "spend": {"USD": "1.0000001"}}]}, "6 decimals"),
        ({"rules": [{**ANYTHING, "spend": {"USD": 1}}]}, "as text"),
        ({"rules": [{**ANYTHING, "spend": {"USD": "-1"}}]}, "-1"),
        ({"rules": [{**ANYTHING, "actions": []}]}, "one at least"),
        ({"rules": [{**ANYTHING, "origins": ["text"]}]}, "text"),
        ({"rules": [{**ANYTHING, "verdict": "ask"}]}, "approvers"),
        ({"rules": [{**ANYTHING, "approvers": ["me"]}]}, "approvers"),
        ({"rules": [{**ANYTHING, "hours": "8-18"}]}, "08:00-18:00"),
        ({"rules": [{**ANYTHING, "until": "2026-03-02"}]}, "2026-12-31T00:00:00Z"),
        ({"rules": [{**ANYTHING, "days": ["monday"]}]}, "monday"),
        ({"rules": [{**ANYTHING, "gaps": True}]}, "could not be established"),
        ({"rules": [{**ANYTHING, "impact_bps": 10_001}]}, "10000"),
        ({"rules": [ANYTHING, ANYTHING]}, "twice"),
        ({"rules": [*({**ANYTHING, "name": str(place)} for place in range(2_000)), {**ANYTHING, "name": "7"}]}, "'7'"),
        ({"budgets": [{"name": "b", "asset": "USD", "cap": "1", "per": "day"}]}, "per 'day'"),
        ({"budgets": [{"name": "b", "asset": "USD", "cap": "1", "seconds": 0}]}, "seconds"),
        ({"version": 2}, "version 1"),
        ({"assets": {"USD": {"id": "dollars", "decimals": 6}}}, "USD"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_policy_that_would_mean_something_else_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        Policy.of({**HEAD, **changed})

    assert said in str(refused.value)


def test_json_and_toml_of_the_same_policy_have_the_same_hash() -> None:
    assert Policy.parse(json.dumps(tomllib.loads(SMALL_PAYMENTS))).hash == POLICY.hash
    assert Policy.parse(SMALL_PAYMENTS.replace('"500"', '"501"')).hash != POLICY.hash


units = st.integers(0, 2_000 * DIME)
addresses = st.sampled_from([FRIEND, STRANGER, POOL])
drawn = st.builds(
    Effects,
    moves=st.lists(st.builds(Move, st.sampled_from([DOLLAR, ETH]), st.integers(-(10**10), 10**10)), max_size=2).map(
        tuple
    ),
    payments=st.lists(st.builds(Payment, st.just(DOLLAR), addresses, units), max_size=2).map(tuple),
    grants=st.lists(st.builds(Grant, st.just(DOLLAR), addresses, units, units), max_size=1).map(tuple),
    contracts=st.lists(st.sampled_from([USD, POOL]), max_size=2).map(tuple),
)


@given(drawn, st.text(max_size=40), st.text(max_size=40), st.sampled_from(list(Origin)))
def test_no_outcome_depends_on_text(effects: Effects, text: str, other: str, origin: Origin) -> None:
    """Notes of intents, and whatever contracts write into their logs, change no decision."""
    told = replace(effects, logs=(Written(POOL, text, {text: other}),))

    plain = POLICY.judge(intent(origin=origin, note=""), effects, NOON)
    loud = POLICY.judge(intent(origin=origin, note=text, arguments={"memo": other}), told, NOON)

    assert loud == plain


@given(drawn, st.sampled_from(list(Origin)))
def test_whatever_is_allowed_stays_within_the_rule(effects: Effects, origin: Origin) -> None:
    found = POLICY.judge(intent(origin=origin), effects, NOON)
    most = {"small": 100 * DIME, "large": 1_000 * DIME, "": 2**256, "never strangers": 2**256}[found.rule]
    covered = {item.to for item in effects.payments} <= {FRIEND, USD} and set(effects.contracts) <= {USD}

    assert effects.spent.get(DOLLAR, 0) <= most
    assert covered or found.verdict is Verdict.DENY
    assert not any(item.widens for item in effects.grants) or found.verdict is Verdict.DENY


@given(drawn)
def test_effects_survive_json(effects: Effects) -> None:
    assert Effects.of(json.loads(json.dumps(effects.body()))) == effects
