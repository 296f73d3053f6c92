"""The kit's values as JSON, as commands and other doors print them. Fields are only ever added."""

from __future__ import annotations

from mercato.core.events import Json
from mercato.kit.actions import Action
from mercato.kit.acts import Act, Entry, decision_body, intent_body
from mercato.kit.rail import NOWHERE
from mercato.kit.replay import Derived
from mercato.kit.service import Proposal


def action(item: Action) -> dict[str, Json]:
    """Returns an action with the JSON Schema of its arguments."""
    return {
        "name": item.name, "says": item.says, "effects": item.effects, "reads": item.reads, "arguments": item.schema(),
    }  # fmt: skip


def proposal(item: Proposal) -> dict[str, Json]:
    """Returns what an intent would do and what the policy says of it."""
    rules: list[Json] = [{"rule": rule, "why_not": why} for rule, why in item.explained]
    return {
        "intent": intent_body(item.intent), "plan": item.ready.plan.body(), "effects": item.ready.effects.body(),
        "decision": decision_body(item.decision), "rules": rules,
        "unsigned": ["0x" + raw.hex() for raw in item.unsigned],
    }  # fmt: skip


def act(item: Act) -> dict[str, Json]:
    """Returns an act; transactions go by their hashes only, signed messages by their signatures too."""
    told: list[Json] = ["0x" + one.raw.hex() for one in item.signed if one.place == NOWHERE]
    return {
        "id": item.id, "state": item.state.value, "intent": intent_body(item.intent), "effects": item.effects.body(),
        "decision": decision_body(item.decision), "signatures": told,
        "transactions": [one.hash for one in item.signed if one.place != NOWHERE],
    }  # fmt: skip


def entry(item: Entry) -> dict[str, Json]:
    """Returns an entry of a journal."""
    return {
        "book": item.book, "seq": item.seq, "at": item.at.isoformat(), "act": item.act, "arrow": item.arrow.value,
        "body": dict(item.body), "hash": item.hash,
    }  # fmt: skip


def derived(book: str, item: Derived) -> dict[str, Json]:
    """Returns what a journal adds up to; `balances` are the net base units that acts moved, fees within them."""
    balances: list[Json] = [
        {"account": account, "asset": asset, "units": str(units)}
        for (account, asset), units in sorted(item.balances.items())
    ]
    used: dict[tuple[str, str], int] = {}
    for items in item.reserves.values():
        for key, units in items.items():
            used[key] = used.get(key, 0) + units
    budgets: list[Json] = [
        {"budget": budget, "scope": scope, "units": str(units)} for (budget, scope), units in sorted(used.items())
    ]
    states: dict[str, Json] = {}
    for state in sorted(item.states.values()):
        states[state.value] = int(str(states.get(state.value, 0))) + 1
    return {
        "book": book, "entries": item.seq, "head": item.head, "policy": item.policy, "frozen": item.frozen,
        "balances": balances, "budgets": budgets, "acts": states,
    }  # fmt: skip
