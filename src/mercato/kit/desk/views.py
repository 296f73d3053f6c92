"""What the kit's templates show: every value a word by now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mercato.kit.acts import Act, Arrow, Entry, State
from mercato.kit.desk import wording
from mercato.kit.desk.holdings import Holding, made_up
from mercato.kit.desk.service import Desk, Purseful, Shelf, Used, Wallet
from mercato.kit.desk.stories import Story
from mercato.kit.desk.wording import RuleSaid, Said, moment
from mercato.kit.model import Effects, Origin
from mercato.kit.profit import Profit
from mercato.kit.units import Units, dollars, plain, spaced

RULES = 100  # that a page shows of a policy
LOGS = 40
WHOLE = 200_000  # letters: what somebody approves is never cut
ORIGINS = {Origin.AGENT: "an agent", Origin.MANDATE: "a signed mandate", Origin.OPERATOR: "the operator"}
NEWS = {
    Arrow.OPENED: "The book was opened", Arrow.RULED: "A policy was put in force", Arrow.FROZEN: "The book was frozen",
    Arrow.THAWED: "The book was thawed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HoldingSaid:
    """What an account holds of an asset. `says` is text from outside."""

    title: str
    asset: str
    amount: str
    known: bool
    says: str


@dataclass(frozen=True, slots=True)
class PurseSaid:
    """An account with what it holds."""

    account: str
    answered: bool
    made_up: bool
    holdings: tuple[HoldingSaid, ...]


@dataclass(frozen=True, slots=True)
class UsedSaid:
    """A budget with its use; `scope` is what it counts apart, where it does."""

    name: str
    scope: str
    says: str
    used: str
    cap: str
    left: str
    percent: int


@dataclass(frozen=True, slots=True)
class LineSaid:
    """What came and left of an asset, or a fee."""

    title: str
    asset: str
    came: str
    left: str
    net: str
    tone: str
    promised: str
    value: str


@dataclass(frozen=True, slots=True)
class ProfitSaid:
    """What acts came to."""

    lines: tuple[LineSaid, ...]
    fees: tuple[tuple[str, str, str], ...]
    total: str
    known: bool
    unpriced: tuple[str, ...]
    settled: int
    failed: int
    made_up: bool


@dataclass(frozen=True, slots=True)
class WalletSaid:
    """A book's page."""

    shelf: Shelf
    purses: tuple[PurseSaid, ...]
    budgets: tuple[UsedSaid, ...]
    rules: tuple[RuleSaid, ...]
    more_rules: int
    profit: ProfitSaid

    @property
    def made_up(self) -> bool:
        """Returns whether the money is of a development chain."""
        return any(purse.made_up for purse in self.purses)


@dataclass(frozen=True, slots=True)
class ArrowSaid:
    """An entry of a journal."""

    seq: int
    what: str
    at: str
    hash: str
    why: str


@dataclass(frozen=True, slots=True)
class ItemSaid:
    """An act, or what befell the book itself, which has no `id`. `note`, `why` and `logs` hold text from outside."""

    id: str
    title: str
    at: str
    book: str
    word: str
    colour: str
    origin: str
    account: str
    note: str
    decided: str
    why: str
    answers: tuple[str, ...]
    done: bool
    says: tuple[Said, ...]
    steps: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    message: str
    arguments: tuple[tuple[str, str], ...]
    transactions: tuple[str, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    logs: tuple[tuple[str, str, str], ...]
    arrows: tuple[ArrowSaid, ...]

    @property
    def made_up(self) -> bool:
        """Returns whether it happened on a development chain."""
        return made_up(self.account.rpartition(":")[0])


@dataclass(frozen=True, slots=True)
class AskedSaid:
    """An act that waits: who may answer, and whether whoever looks is one of them."""

    item: ItemSaid
    open: bool
    mine: str
    approvers: str


def wallet(item: Wallet) -> WalletSaid:
    """Returns a book's page."""
    rules = item.policy.rules
    return WalletSaid(
        item.shelf,
        tuple(_purse(purse, item.units) for purse in item.purses),
        tuple(_used(used, item.units) for used in item.budgets),
        tuple(wording.rule(rule, item.units) for rule in rules[:RULES]),
        max(len(rules) - RULES, 0),
        _profit(item.profit, item.units, item.priced_by_simulation),
    )


def item(found: Story | Entry, units: Units) -> ItemSaid:
    """Returns an act, or what befell the book."""
    return _story(found, units) if isinstance(found, Story) else _news(found)


def asked(desk: Desk, act: Act, account: str, units: Units) -> AskedSaid:
    """Returns an act that waits, as somebody sees it who is signed in."""
    shown = _story(desk.story(act.id), units)
    mine = desk.may_answer(act, account)
    return AskedSaid(shown, act.state is State.ASKED, mine, wording.listed(act.decision.approvers, "or"))


def _purse(item: Purseful, units: Units) -> PurseSaid:
    held = tuple(_holding(one, units) for one in item.holdings)
    return PurseSaid(item.account, item.answered, item.made_up, held)


def _holding(item: Holding, units: Units) -> HoldingSaid:
    amount = "unknown" if item.units is None else _number(item.asset, item.units, units)
    return HoldingSaid(units.title(item.asset), item.asset, amount, item.units is not None, plain(item.says, 60))


def _used(item: Used, units: Units) -> UsedSaid:
    budget = item.budget
    used, cap, left = (units.amount(budget.asset, number) for number in (item.units, budget.cap, item.left))
    return UsedSaid(budget.name, item.scope, wording.budget(budget, units), used, cap, left, item.percent)


def _profit(item: Profit, units: Units, made_up: bool) -> ProfitSaid:
    lines = tuple(
        LineSaid(
            units.title(one.asset), one.asset, _number(one.asset, one.came, units),
            _number(one.asset, one.left, units), _number(one.asset, one.net, units, signed=True),
            "up" if one.net > 0 else "down" if one.net < 0 else "even",
            _number(one.asset, one.promised, units) if one.promised else "", dollars(one.value),
        )
        for one in item.lines
    )  # fmt: skip
    fees = tuple((units.title(one.asset), units.amount(one.asset, one.units), dollars(one.value)) for one in item.fees)
    unpriced = tuple(units.title(asset) for asset in item.unpriced)
    known = item.total is not None
    return ProfitSaid(lines, fees, dollars(item.total), known, unpriced, item.settled, item.failed, made_up)


def _number(asset: str, number: int, units: Units, *, signed: bool = False) -> str:
    whole = units.whole(asset, number)
    text = spaced(whole) if whole is not None else f"{spaced(str(number))} base units" if number else "0"
    return f"+{text}" if signed and number > 0 else text


def _story(item: Story, units: Units) -> ItemSaid:
    effects = item.effects
    done = item.done is not None
    return ItemSaid(
        id=item.id, title=item.action, at=moment(item.at), book=item.book, word=item.word, colour=item.colour,
        origin=ORIGINS.get(Origin(item.origin), item.origin), account=item.account, note=item.note,
        decided=_decided(item), why=_why(item), answers=tuple(map(_answer, item.answers)), done=done,
        says=wording.effects(effects, units, done=done) if effects else (), steps=tuple(map(_step, item.steps)),
        message=plain(json.dumps(item.message, ensure_ascii=False), WHOLE) if item.message else "",
        arguments=tuple((plain(name, 60), plain(_text(value), 400)) for name, value in item.arguments.items()),
        transactions=item.transactions, outcomes=item.outcomes, logs=_logs(effects),
        arrows=tuple(map(_arrow, item.entries)),
    )  # fmt: skip


def _decided(item: Story) -> str:
    if not item.verdict:
        return ""
    rule = f"the rule “{plain(item.rule)}”"
    if item.verdict == "ask":
        return f"{rule} wants it approved"
    word = "allowed" if item.verdict == "allow" else "refused"
    return f"{word} by {rule}" if item.rule else word


def _why(item: Story) -> str:
    """Returns what more there is to say than the rule's name: why nothing fitted, what a budget lacks."""
    return "" if item.rule and item.why.startswith("the rule ") else item.why


def _answer(item: Mapping[str, Any]) -> str:
    word = "Approved" if item["yes"] else "Rejected"
    proof = f", signed in as {plain(str(item['account']))}" if item.get("account") else ", by command"
    return f"{word} by {plain(str(item['by']))}{proof}, {moment(item['at'])}"


def _news(item: Entry) -> ItemSaid:
    body: Mapping[str, Any] = item.body
    by = plain(str(body.get("by", "")))
    proof = f", signed in as {plain(str(body['account']))}" if body.get("account") else ""
    policy = f"Its hash is {body['hash']}." if item.arrow is Arrow.RULED else ""
    return ItemSaid(
        id="", title=NEWS[item.arrow], at=moment(item.at), book=item.book, word="", colour="", origin="", account="",
        note=plain(str(body.get("why", ""))), decided="", why=policy, answers=(f"By {by}{proof}",), done=True, says=(),
        steps=(), message="", arguments=(), transactions=(), outcomes=(), logs=(), arrows=(_arrow(item),),
    )  # fmt: skip


def _arrow(item: Entry) -> ArrowSaid:
    why = str(item.body.get("why", "")) if item.arrow in (Arrow.DECIDED, Arrow.RELEASED) else ""
    return ArrowSaid(item.seq, item.arrow.value, moment(item.at), item.hash, plain(why))


def _step(item: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    parts = tuple((plain(name), plain(_text(value), 600)) for name, value in item.items() if name != "title")
    return plain(str(item.get("title", ""))), parts


def _logs(effects: Effects | None) -> tuple[tuple[str, str, str], ...]:
    found = effects.logs[:LOGS] if effects else ()
    return tuple((one.contract, plain(one.event, 80), plain(_json(dict(one.values)), 600)) for one in found)


def _text(value: object) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    return plain(json.dumps(value, ensure_ascii=False), 2_000)
