"""Rules, budgets, effects and stories in plain words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mercato.core.money import LIMIT
from mercato.kit import Authority, Decision, Effects, Grant, Move, Origin, Payment, Policy, Power, Verdict
from mercato.kit.acts import Arrow, Entry, State, decision_body, intent_body
from mercato.kit.desk import wording
from mercato.kit.desk.stories import story
from mercato.kit.testing import CHAIN, DOLLAR, ETH, FRIEND, NOON, POOL, SMALL_PAYMENTS, STRANGER, USD, intent, payment
from mercato.kit.units import Units

UNITS = Units().learn(Policy.parse(SMALL_PAYMENTS).source)
ITEM = f"{CHAIN}/erc721:{POOL}/7"


def said(effects: Effects, *, done: bool = False) -> list[tuple[str, str]]:
    return [(item.text, item.tone) for item in wording.effects(effects, UNITS, done=done)]


def rule(**words: Any) -> list[str]:
    made = Policy.of({**Policy.parse(SMALL_PAYMENTS).source, "rules": [{"name": "one", **words}], "budgets": []})
    return list(wording.rule(made.rules[0], UNITS).lines)


def test_a_payment_is_told_once_and_what_else_leaves_too() -> None:
    assert said(payment(5_000_000)) == [(f"Pays 5 USD to {FRIEND}.", "out"), (f"Calls {USD} (USD).", "plain")]
    assert said(payment(5_000_000, moves=(Move(DOLLAR, -6_000_000),)))[0] == ("Gives 6 USD.", "out")


def test_every_kind_of_effect_has_words() -> None:
    effects = Effects(
        moves=(Move(ETH, 10**18), Move(DOLLAR, -1)), payments=(Payment(ETH, POOL, 5),),
        grants=(
            Grant(DOLLAR, STRANGER, 0, LIMIT - 1), Grant(DOLLAR, FRIEND, 0, 2_000_000, 1_800_000_000),
            Grant(DOLLAR, FRIEND, 9, 0),
        ),
        authorities=(Authority(Power.OPERATOR, ITEM, STRANGER, True), Authority(Power.OWNER, POOL, FRIEND, False)),
        creations=(POOL,), fee_asset=ETH, fee=10**15, impact_bps=150, gaps=("x\u202ey does not tell",),
    )  # fmt: skip

    assert said(effects) == [
        ("Gets 1 ETH.", "in"), ("Gives 0.000001 USD.", "out"), (f"Pays 0.000000000000000005 ETH to {POOL}.", "out"),
        (f"Creates {POOL}.", "plain"), ("Trades 1.5% below the pool's price before it, its fee within.", "plain"),
        ("Fee at most 0.001 ETH.", "out"), (f"Lets {STRANGER} spend any amount of USD.", "power"),
        (f"Lets {FRIEND} spend up to 2 USD until 15 Jan 2027, 08:00:00 UTC.", "power"),
        (f"Lets {FRIEND} spend 0 USD only, less than before.", "plain"),
        (f"Hands the power “operator” over {ITEM} to {STRANGER}.", "power"),
        (f"Takes the power “owner” over {POOL} from {FRIEND}.", "plain"),
        ("Could not be established: x·y does not tell.", "unclear"),
    ]  # fmt: skip
    assert ("Fee 0.001 ETH.", "out") in said(effects, done=True)
    assert said(Effects()) == [("Nothing of the account's changes.", "plain")]


def test_a_permit_says_what_it_covers_and_what_it_does_not() -> None:
    assert rule(verdict="allow", actions=["transfer", "approve"], spend={"USD": "100", "ETH": "any"}) == [
        "For approve or transfer.", "Spends up to 100 USD and any amount of ETH, the fee within it.",
        "Calls no contract.", "Pays nobody.", "Gives no allowance.", "Hands out no power.",
    ]  # fmt: skip
    assert rule(
        verdict="ask", approvers=["b", "a"], origins=["operator"], contracts=[USD], recipients=[FRIEND],
        grants={"USD": "5"}, spenders=[POOL], authorities=["mint"], creations=1, impact_bps=5, gaps=True,
        hours="08:00-18:00", days=["mon"], until="2026-12-31T00:00:00Z",
    ) == [
        "For every action.", "Only what comes from operator.", "Between 08:00 and 18:00 UTC.", "On Monday.",
        "Until 31 Dec 2026, 00:00:00 UTC.", "Spends nothing, not even a fee.", f"Calls only {USD} (USD).",
        f"Pays only {FRIEND}, or what it may call.", f"Allows {POOL} to spend up to 5 USD.",
        "Hands out the power mint.", "Creates at most 1 contract.", "Trades at most 0.05% below the pool's price.",
        "Even where effects could not be established.", "Asks a or b first.",
    ]  # fmt: skip
    assert rule(verdict="allow", recipients=["any"], contracts=["any"])[2:4] == ["Calls any contract.", "Pays anybody."]


def test_a_ban_says_where_it_bites() -> None:
    assert rule(
        verdict="deny", above={"USD": "5"}, recipients=[STRANGER], contracts=["any"], spenders=["any"],
        grants_above={"USD": "1"}, authorities=["code"],
    ) == [
        "For every action.", "Where it spends more than 5 USD.", f"Where it pays {STRANGER}.",
        "Where it calls any contract.", "Where it lets others spend: anybody.", "Where it hands out the power code.",
        "Where it allows more than 1 USD.",
    ]  # fmt: skip


def test_very_many_names_are_counted() -> None:
    assert wording.listed([f"n{place:02}" for place in range(15)]).endswith("n11 and 3 more")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "ever"), (86_400, "in any 24 hours"), (7 * 86_400, "in any 7 days"), (3_600, "in any 60 minutes"),
        (7_200, "in any 2 hours"), (60, "in any 60 seconds"), (90, "in any 90 seconds"), (300, "in any 5 minutes"),
    ],
)  # fmt: skip
def test_a_window_is_told_as_people_count(seconds: int | None, words: str) -> None:
    assert wording.window(seconds) == words


def test_a_budget_says_how_it_counts() -> None:
    each = Policy.of({**Policy.parse(SMALL_PAYMENTS).source, "budgets": [
        {"name": "a", "asset": "USD", "cap": "5", "per": "recipient"}, {"name": "b", "asset": "USD", "cap": "5"},
    ]}).budgets  # fmt: skip

    assert [wording.budget(item, UNITS) for item in each] == [
        "At most 5 USD ever, each recipient apart.", "At most 5 USD ever, all acts together.",
    ]  # fmt: skip


def told(*arrows: tuple[Arrow, dict[str, Any]], verdict: Verdict = Verdict.ALLOW) -> list[Entry]:
    wanted = intent(origin=Origin.AGENT, note="n")
    decision = Decision(verdict, "small", "why", "hash")
    first: list[tuple[Arrow, dict[str, Any]]] = [
        (Arrow.INTENDED, intent_body(wanted)), (Arrow.DECIDED, decision_body(decision)),
    ]  # fmt: skip
    return [
        Entry("agent", seq, NOON + timedelta(seconds=seq), wanted.id, arrow, body, f"{seq:064}")
        for seq, (arrow, body) in enumerate([*first, *arrows], start=1)
    ]


ASKED = (Arrow.ASKED, {"approvers": ["a"]})
RESERVED: tuple[Arrow, dict[str, Any]] = (Arrow.RESERVED, {"reserves": [], "places": []})
SIGNED = (Arrow.SIGNED, {"transactions": ["0x1"]})


@pytest.mark.parametrize(
    ("arrows", "state", "word"),
    [
        ((), None, "refused"),
        ((RESERVED,), State.RESERVED, "reserved, not signed yet"),
        ((RESERVED, SIGNED), State.SIGNED, "signed, on its way"),
        ((RESERVED, SIGNED, (Arrow.RELEASED, {"why": "its nonce was used"})), State.OVER, "given back"),
        (
            (
                RESERVED,
                SIGNED,
                (Arrow.CONFIRMED, {"succeeded": False, "steps": []}),
                (Arrow.SETTLED, {"effects": Effects().body(), "reserves": []}),
            ),
            State.DONE,
            "failed on the chain",
        ),
        ((ASKED, (Arrow.REJECTED, {"by": "a"})), State.OVER, "rejected"),
        ((ASKED, (Arrow.APPROVED, {"by": "a"})), State.AGREED, "approved, not carried out yet"),
    ],
)  # fmt: skip
def test_an_act_stands_where_its_entries_say(arrows: Any, state: State | None, word: str) -> None:
    found = story(told(*arrows))

    assert (found.state, found.word) == (state, word)
    assert found.why in ("why", "its nonce was used")
    assert found.at == NOON + timedelta(seconds=1)
