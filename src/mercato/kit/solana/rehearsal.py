"""A dry run on a Solana cluster: what a plan would do to its account.

A transaction can change what it names as writable and nothing else, so all of that is read before and after. Programs'
logs are shown and never believed. What is the account's and cannot be read is a gap, and gaps are refused by default.
Of several transactions each is tried after those before it. Any may be the last that happens, so what leaves counts
although a later one brings it back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mercato.chains.errors import BadAnswer, BadCall
from mercato.chains.solana.budget import MOST_UNITS, limit_units, offer_price, priority_fee
from mercato.chains.solana.codes import meaning
from mercato.chains.solana.lookup import lookup_table
from mercato.chains.solana.messages import Tables, all_accounts_of, assemble, compile_message
from mercato.chains.solana.model import (
    SYSTEM,
    TOKEN,
    TOKEN_2022,
    Account,
    Address,
    Blockhash,
    Cluster,
    Instruction,
    Outcome,
)  # fmt: skip
from mercato.chains.solana.reasons import words
from mercato.kit.errors import WouldFail
from mercato.kit.model import Effects, Move, Payment, Written
from mercato.kit.solana import changes
from mercato.kit.solana.changes import NATIVE, Scene
from mercato.kit.solana.plan import SolanaPlan, Transaction
from mercato.kit.solana.sight import READ, seen

PASSES = 5  # dry runs until one's own accounts stand still meanwhile
SPARE, EXTRA = 20, 3_000  # percent and units above the dry run's
LINES, LETTERS = 40, 200  # of what programs wrote
OWN = 2  # instructions that `budgeted` puts in front
#: Instructions that send money out of their first account, and the place of the one that gets it: Transfer of System;
#: Transfer, TransferChecked and TransferFeeExtension (TransferCheckedWithFee) of the token programs.
TRANSFERS = {
    (SYSTEM, 2): 1, **{(of, kind): place for of in (TOKEN, TOKEN_2022) for kind, place in ((3, 1), (12, 2), (26, 2))},
}  # fmt: skip
NO_BLOCK = Blockhash(SYSTEM)  # stands where a dry run needs no blockhash
AT_ONCE = 100  # accounts of one question
ALONE = "the node tries each transaction alone, so what the later ones of several would do is not known"
Accounts = Mapping[Address, Account | None]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the dry run found: effects with the fee at most, and the units that each transaction may use. `coin` is how
    much more of the chain's money is one's own, wrapped or not."""

    effects: Effects
    units: tuple[int, ...]
    coin: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """A cluster as it would be after the transactions of a plan that come before."""

    cluster: Cluster
    before: tuple[bytes, ...] = ()

    def simulate(self, raw: bytes, addresses: Sequence[Address]) -> Outcome:
        """Returns what a transaction would do then."""
        return self.cluster.simulate(raw, addresses, after=self.before)

    def read(self, addresses: Sequence[Address]) -> tuple[Account | None, ...]:
        """Returns what would lie at each address then."""
        parts = [addresses[first : first + AT_ONCE] for first in range(0, len(addresses), AT_ONCE)]
        return tuple(account for part in parts for account in self._part(part))

    def _part(self, addresses: Sequence[Address]) -> tuple[Account | None, ...]:
        if not self.before:
            return self.cluster.accounts(addresses)
        *others, last = self.before
        found = self.cluster.simulate(last, addresses, after=others)
        if not found.succeeded:
            raise BadAnswer(f"a transaction failed that did not before: {found.reason}", hint="try again")
        return found.accounts


def rehearse(cluster: Cluster, account: Address, plan: SolanaPlan, price: int) -> Rehearsed:
    """Returns what a plan would do to its account, at a price in micro-lamports for each unit of computing.

    WouldFail where a transaction would; nothing is sent.
    """
    tried, stage = [], Stage(cluster)
    for one in plan.transactions:
        done, stage = _tried(stage, account, one, price)
        tried.append(done)
    effects = merged([one.effects for one in tried], f"{cluster.name}/{NATIVE}")
    if trade := plan.trade:
        found = {move.asset: move.units for move in effects.moves}
        money = {f"{cluster.name}/{NATIVE}", *(f"{cluster.name}/token:{one}" for one in changes.WRAPPED)}
        found.update(dict.fromkeys(money, sum(one.coin for one in tried)))
        impact = trade.impact_bps(-found.get(trade.paid, 0), found.get(trade.got, 0))
        effects = replace(effects, impact_bps=impact)
    return Rehearsed(effects, tuple(units for one in tried for units in one.units))


def budgeted(instructions: Sequence[Instruction], units: int, price: int) -> list[Instruction]:
    """Returns instructions behind what says how many units they may use, and at what price."""
    return [limit_units(units), offer_price(price), *instructions]


def tables_of(cluster: Cluster, addresses: Iterable[Address]) -> Tables:
    """Returns what lookup tables hold on the chain; WouldFail where one is none."""
    wanted = list(addresses)
    found = {}
    for address, account in zip(wanted, cluster.accounts(wanted) if wanted else (), strict=True):
        table = lookup_table(account)
        if table is None:
            raise WouldFail(f"lookup table was {address}, which is none", hint="nothing was signed")
        found[address] = table.addresses
    return found


def merged(parts: Sequence[Effects], native: str) -> Effects:
    """Returns the effects of several transactions together."""
    moved: dict[str, int] = {}
    lowest: dict[str, int] = {}
    for move in (move for part in parts for move in part.moves):
        moved[move.asset] = moved.get(move.asset, 0) + move.units
        lowest[move.asset] = min(lowest.get(move.asset, 0), moved[move.asset])
    paid: dict[tuple[str, str], int] = {}
    for one in (one for part in parts for one in part.payments):
        paid[one.asset, one.to] = paid.get((one.asset, one.to), 0) + one.units
    return Effects(
        moves=tuple(
            Move(asset, lowest[asset] or units) for asset, units in sorted(moved.items()) if lowest[asset] or units
        ),
        payments=tuple(Payment(asset, to, units) for (asset, to), units in paid.items()),
        grants=tuple(one for part in parts for one in part.grants),
        authorities=tuple(one for part in parts for one in part.authorities),
        creations=tuple(one for part in parts for one in part.creations),
        contracts=tuple(dict.fromkeys(one for part in parts for one in part.contracts)),
        fee_asset=native,
        fee=sum(part.fee for part in parts),
        logs=tuple(one for part in parts for one in part.logs),
        gaps=tuple(one for part in parts for one in part.gaps),
    )


def _tried(stage: Stage, account: Address, item: Transaction, price: int) -> tuple[Rehearsed, Stage]:
    """Returns what a transaction would do at a stage, and the stage after it."""
    cluster, tables = stage.cluster, tables_of(stage.cluster, item.tables)
    steps = budgeted(item.instructions, MOST_UNITS, 0)
    try:
        message = compile_message(account, steps, NO_BLOCK, tables)
        raw = assemble(message)
        if raw in stage.before:
            raise WouldFail(
                f"{item.title!r} is there twice", hint="equal transactions are one; a memo tells them apart"
            )
        later = replace(stage, before=(*stage.before, raw))
        named = [meta.address for meta in all_accounts_of(message, tables) if meta.writable]
        for _ in range(PASSES):
            before = stage.read(named)
            outcome = stage.simulate(raw, named)
            _check(item, outcome)
            fee = outcome.fee if outcome.fee is not None else _fee(cluster, account, steps, tables)
            states = (dict(zip(named, before, strict=True)), dict(zip(named, outcome.accounts, strict=True)))
            scene = _scene(account, str(cluster.name), item, states, fee)
            if full := _still(stage, scene, *states, _called(item)):
                return _judged(item, full, outcome, price), later
    except BadAnswer:
        return _unclear(ALONE if stage.before else "the node cannot simulate it"), stage
    except BadCall as error:
        raise WouldFail(f"{item.title!r} is no transaction: {error.message}", hint="nothing was signed") from None
    return _unclear("the account changes faster than it can be read"), later


def _check(item: Transaction, outcome: Outcome) -> None:
    if not outcome.succeeded:
        last = outcome.logs[-1][:LETTERS] if outcome.logs else "nothing was signed"
        said, means = _reason(outcome)[:LETTERS], meaning(outcome.logs)
        told = f"the cluster says {said!r}" + (f": {means}" if means else "")
        raise WouldFail(f"{item.title!r} would fail, {told}", hint=last)


def _reason(outcome: Outcome) -> str:
    """Returns why a transaction would fail, its instructions counted without the budget's."""
    match outcome.error:
        case {"InstructionError": [int() as place, cause]} if place >= OWN:
            return words({"InstructionError": [place - OWN, cause]})
    return outcome.reason


def _scene(account: Address, prefix: str, item: Transaction, states: tuple[Accounts, Accounts], fee: int) -> Scene:
    called = _called(item)
    before, after = ([seen(at, one, called) for at, one in state.items()] for state in states)
    return Scene(account, prefix, tuple(states[0]), before, after, fee, sends=list(_sends(item)))


def _sends(item: Transaction) -> Iterator[tuple[Address, Address]]:
    """Yields source and target of the transfers among a transaction's instructions."""
    for one in item.instructions:
        kind = int.from_bytes(one.data[: 4 if one.program == SYSTEM else 1], "little")
        place = TRANSFERS.get((one.program, kind))
        if place is not None and place < len(one.accounts):
            yield one.accounts[0].address, one.accounts[place].address


def _still(stage: Stage, scene: Scene, before: Accounts, after: Accounts, called: Collection[Address]) -> Scene | None:
    """Returns the scene with the tokens and wallets that matter; None where one's own accounts changed meanwhile.

    A token that the transaction makes or may change is taken as it would be afterwards.
    """
    own = [at for at, one, _ in scene.pairs() if scene.me in (at, one.who)]
    tokens = changes.touched(scene)
    payees = sorted({Address(one.to) for one in changes.money(scene)[1]})
    wanted = [*own, *sorted(tokens - after.keys()), *payees]
    found = stage.read(wanted)
    if any(before[at] != account for at, account in zip(own, found, strict=False)):
        return None
    known = {**dict(zip(wanted, found, strict=True)), **{at: after[at] for at in tokens & after.keys()}}
    owners = {at: account.owner for at in payees if (account := known[at])}
    within = {at: owner for at, owner in owners.items() if owner in called and owner not in READ}
    return replace(scene, mints={at: known[at] for at in tokens}, within=within)


def _judged(item: Transaction, scene: Scene, outcome: Outcome, price: int) -> Rehearsed:
    units = min(outcome.units * (100 + SPARE) // 100 + EXTRA, MOST_UNITS)
    moves, payments, unseen = changes.money(scene)
    effects = Effects(
        moves=tuple(moves),
        payments=tuple(payments),
        grants=tuple(changes.grants(scene)),
        authorities=tuple(changes.authorities(scene)),
        creations=tuple(at for at, old, new in scene.pairs() if not old.there and new.there and new.program != SYSTEM),
        contracts=tuple(dict.fromkeys([*(one for one in _called(item) if one not in READ), *changes.used(scene)])),
        fee=scene.fee + priority_fee(units, price),
        logs=tuple(_written(outcome.logs)),
        gaps=(*unseen, *changes.gaps(scene)),
    )
    return Rehearsed(effects, (units,), changes.coin(scene))


def _called(item: Transaction) -> Collection[Address]:
    return dict.fromkeys(one.program for one in item.instructions)


def _written(lines: Sequence[str]) -> list[Written]:
    """Returns what programs wrote, each line with the program that was running."""
    running: list[str] = []
    found: list[Written] = []
    for line in lines:
        words = line.split(" ", 3)
        if line.startswith("Program log: ") and len(found) < LINES:
            found.append(Written(running[-1] if running else "", "log", {"text": line[13 : 13 + LETTERS]}))
        elif words[0] == "Program" and words[2:3] == ["invoke"]:
            running.append(words[1])
        elif words[0] == "Program" and words[2:3] in (["success"], ["failed:"]) and running:
            running.pop()
    return found


def _fee(cluster: Cluster, account: Address, steps: Sequence[Instruction], tables: Tables) -> int:
    return cluster.fee(compile_message(account, steps, cluster.lifetime().blockhash, tables))


def _unclear(why: str) -> Rehearsed:
    return Rehearsed(Effects(gaps=(why,)), (MOST_UNITS,))
