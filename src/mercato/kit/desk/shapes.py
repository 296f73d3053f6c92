"""What the desk shows as JSON. Fields are only ever added; base units are text. Nothing signed is ever in it."""

from __future__ import annotations

from mercato.core.events import Json
from mercato.kit.acts import Act, intent_body
from mercato.kit.desk import wording
from mercato.kit.desk.service import Desk, Pages, Purseful, Shelf, Used, Wallet
from mercato.kit.desk.stories import Story
from mercato.kit.model import Effects
from mercato.kit.profit import Profit
from mercato.kit.shapes import entry
from mercato.kit.units import Units


def shelf(item: Shelf) -> dict[str, Json]:
    """Returns a book: its policy, its newest entry, whether it is frozen, and how many acts wait."""
    book = item.book
    return {
        "book": book.id, "policy": {"name": item.policy, "hash": book.policy_hash}, "entries": book.seq,
        "head": book.head, "frozen": book.frozen, "waiting": item.waiting, "accounts": list(item.accounts),
    }  # fmt: skip


def wallet(item: Wallet) -> dict[str, Json]:
    """Returns what a book's page shows: balances, budgets, the policy in words, and what acts came to."""
    words = [wording.rule(rule, item.units) for rule in item.policy.rules]
    return {
        **shelf(item.shelf),
        "balances": [_purse(purse, item.units) for purse in item.purses],
        "budgets": [_used(used, item.units) for used in item.budgets],
        "rules": [
            {"name": rule.name, "verdict": source.verdict.value, "lines": list(rule.lines)}
            for rule, source in zip(words, item.policy.rules, strict=True)
        ],
        "profit": profit(item.profit, item.units, simulated=item.priced_by_simulation),
    }


def profit(item: Profit, units: Units, *, simulated: bool = False) -> dict[str, Json]:
    """Returns what acts came to: base and whole units, micro-dollars where prices are known, null with why where not.

    `simulated_prices` says that the market room holds made-up data.
    """
    lines: list[Json] = [
        {
            "asset": line.asset, "name": units.title(line.asset), "came": str(line.came), "left": str(line.left),
            "net": str(line.net), "promised": str(line.promised), "came_whole": units.whole(line.asset, line.came),
            "left_whole": units.whole(line.asset, line.left), "net_whole": units.whole(line.asset, line.net),
            "value_micro_usd": _text(line.value),
        }
        for line in item.lines
    ]  # fmt: skip
    fees: list[Json] = [
        {
            "asset": fee.asset, "name": units.title(fee.asset), "units": str(fee.units),
            "whole": units.whole(fee.asset, fee.units), "value_micro_usd": _text(fee.value),
        }
        for fee in item.fees
    ]  # fmt: skip
    return {
        "lines": lines, "fees": fees, "total_micro_usd": _text(item.total), "unpriced": list(item.unpriced),
        "settled": item.settled, "failed": item.failed, "simulated_prices": simulated,
    }  # fmt: skip


def journal(item: Pages) -> dict[str, Json]:
    """Returns a page of a journal; `before` asks for the next one, null after the last."""
    items: list[Json] = [story(one, item.units) if isinstance(one, Story) else entry(one) for one in item.items]
    return {"items": items, "before": item.before}


def story(item: Story, units: Units) -> dict[str, Json]:
    """Returns an act with every entry of it; effects in words beside their values."""
    return {
        "act": item.id, "book": item.book, "account": item.account, "action": item.action, "origin": item.origin,
        "at": item.at.isoformat(), "note": item.note, "arguments": dict(item.arguments),
        "state": item.state.value if item.state else "refused", "stands": item.word, "verdict": item.verdict,
        "rule": item.rule, "why": item.why, "approvers": list(item.approvers), "tried": _effects(item.tried),
        "done": _effects(item.done), "says": _said(item.effects, units, done=item.done is not None),
        "transactions": list(item.transactions), "entries": [entry(one) for one in item.entries],
    }  # fmt: skip


def asked(desk: Desk, item: Act, account: str, units: Units) -> dict[str, Json]:
    """Returns an act that waits; `you_may_answer` says whether whoever asks may."""
    return {
        "act": item.id, "state": item.state.value, "intent": intent_body(item.intent), "rule": item.decision.rule,
        "effects": item.effects.body(), "says": _said(item.effects, units), "approvers": list(item.decision.approvers),
        "you_may_answer": bool(desk.may_answer(item, account)),
    }  # fmt: skip


def _purse(item: Purseful, units: Units) -> Json:
    held: list[Json] = [
        {
            "asset": one.asset, "name": units.title(one.asset), "units": _text(one.units),
            "whole": None if one.units is None else units.whole(one.asset, one.units), "calls_itself": one.says,
        }
        for one in item.holdings
    ]  # fmt: skip
    return {"account": item.account, "answered": item.answered, "simulated": item.made_up, "holdings": held}


def _used(item: Used, units: Units) -> Json:
    budget = item.budget
    return {
        "budget": budget.name, "scope": item.scope, "per": budget.per, "asset": budget.asset,
        "seconds": budget.seconds, "cap": str(budget.cap), "used": str(item.units), "left": str(item.left),
        "says": wording.budget(budget, units),
    }  # fmt: skip


def _effects(item: Effects | None) -> Json:
    return None if item is None else item.body()


def _said(item: Effects | None, units: Units, *, done: bool = False) -> list[Json]:
    return [] if item is None else [said.text for said in wording.effects(item, units, done=done)]


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
