"""The way from a plan to a block on a Solana cluster: try it, sign it, send it, and read what became of it.

A transaction names a recent blockhash, and may come into a block until the height that is kept as its place. The same
bytes can be sent again until then and run once. Once the final chain is well above that and does not hold it, it never
will, and only then it is lost; a node that refuses to take it is no proof, since another may have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import count

from mercato.chains.errors import BadCall, Reverted, Unreachable
from mercato.chains.solana.messages import UNSIGNED, assemble, checked, compile_message, sign, signature_of, signers_of
from mercato.chains.solana.model import Address, Blockhash, Cluster, Held, Receipt, Signature, Signer
from mercato.core.clock import Clock
from mercato.core.events import Json
from mercato.kit.acts import Act, Signed
from mercato.kit.errors import BadArgument
from mercato.kit.model import Move, Payment, Plan
from mercato.kit.rail import NOWHERE, AlreadyKnown, Lost, Outcome, Ready
from mercato.kit.solana.changes import NATIVE
from mercato.kit.solana.plan import Ground, SolanaPlan, Transaction
from mercato.kit.solana.rehearsal import budgeted, rehearse, tables_of

PASSED = "its blockhash is too old by now: no block can take it any more"
SLACK = 32  # blocks more until nothing can come: nodes behind one address are not equally far
PATIENCE = timedelta(seconds=90)  # for a block
LOOK, PAUSE, AGAIN = (
    1,
    0.2,
    5,
)  # seconds of a look for a receipt and between two; looks until the same bytes are sent again


class Rail:
    """One Solana cluster. `price` is micro-lamports that are offered for each unit of computing."""

    def __init__(self, cluster: Cluster, clock: Clock, *, price: int = 0) -> None:
        self.cluster, self.clock, self._price = cluster, clock, price

    @property
    def name(self) -> str:
        """Returns the cluster's CAIP-2 name."""
        return str(self.cluster.name)

    @property
    def native(self) -> str:
        """Returns the CAIP-19 name of SOL there."""
        return f"{self.cluster.name}/{NATIVE}"

    def ground(self, account: Address, seed: str = "") -> Ground:
        """Returns what actions work on."""
        return Ground(self.cluster, account, seed)

    def ready(self, account: Address, plan: Plan, assets: Iterable[str]) -> Ready:
        """Returns the plan with what it would do; WouldFail where a transaction would fail.

        A transaction shows all that it can change, so there are no further assets to look at.
        """
        assert isinstance(plan, SolanaPlan), "an action on Solana returns a plan for Solana"
        if plan.message:
            return Ready(plan, plan.message.effects)
        price = self._price if plan.price is None else plan.price
        tried = rehearse(self.cluster, account, plan, price)
        return Ready(plan, tried.effects, tried.units, price)

    def places(self, account: Address, plan: Plan) -> tuple[int, int]:
        """Returns that no places are needed: what keeps a transaction from running twice is its own blockhash."""
        return 0, 0

    def sign(self, signer: Signer, ready: Ready, places: Sequence[int]) -> list[Signed]:
        """Returns each transaction signed under the newest blockhash, or the message; BadArgument where a message is a
        transaction in disguise."""
        plan = ready.plan
        assert isinstance(plan, SolanaPlan), "an action on Solana returns a plan for Solana"
        if message := plan.message:
            if _is_transaction(message.digest):
                raise BadArgument("message was a transaction", hint="a signature of it could be sent as one")
            return [Signed(NOWHERE, "0x" + sha256(message.digest).hexdigest(), signer.message(message.digest))]
        life = self.cluster.lifetime()
        raws = [
            sign(text, [signer, *item.signers])
            for item, text in zip(plan.transactions, self._messages(signer.address, ready, life.blockhash), strict=True)
        ]
        return [Signed(life.last_height, signature_of(checked(raw)), raw) for raw in raws]

    def unsigned(self, account: Address, ready: Ready) -> list[bytes]:
        """Returns each transaction under the newest blockhash, with zeros where the account has to sign."""
        plan = ready.plan
        assert isinstance(plan, SolanaPlan), "an action on Solana returns a plan for Solana"
        if not plan.transactions:
            return []
        texts = self._messages(account, ready, self.cluster.lifetime().blockhash)
        return [_unsigned(item, text) for item, text in zip(plan.transactions, texts, strict=True)]

    def send(self, account: Address, item: Signed) -> Receipt:
        """Sends a transaction unless it is in a block already, and returns its receipt.

        Lost once no block can take it any more. Unreachable where it may still come: nobody answered, no block came in
        time, or a node refused it.
        """
        name, end, sent = Signature(item.hash), self.clock.now() + PATIENCE, False
        for turn in count():
            # The height first: what is in no block by then will be in none.
            passed = self.cluster.height(final=True) > item.place + SLACK
            if (found := self.cluster.receipt(name)) is not None:
                return found
            if passed:
                raise Lost(PASSED)
            if self.clock.now() > end:
                break
            if turn % AGAIN == 0:
                sent = self._handed(item, sent)
            with suppress(Unreachable):
                return self.cluster.wait(name, LOOK)
            self.clock.sleep(PAUSE)
        raise self._open(item, "no block took it in time")

    def outcome(self, act: Act, found: Sequence[Receipt]) -> Outcome:
        """Returns what an act did: tokens and SOL by the receipts, whom it paid in SOL as the dry run had it."""
        account = _account(act.intent.account)
        good = len(found) == len(act.signed) and all(one.succeeded for one in found)
        fee = sum(one.fee for one in found)
        shown = {one.asset for one in act.effects.payments}
        moves, payments = _tokens(account, self.name, [one for one in found if one.succeeded], shown)
        main = sum(_native(account, one) for one in found) + fee
        kept = _as_rehearsed(act.effects.payments, payments) if good else payments
        paid = sum(one.units for one in kept if one.asset == self.native)
        spends = any(one.asset == self.native and one.units < 0 for one in act.effects.moves)
        lamports = min(main, -paid) if paid and spends else main
        native = [Move(self.native, lamports)] if lamports else []
        effects = replace(
            act.effects, moves=tuple(sorted([*moves, *native], key=lambda move: move.asset)),
            payments=tuple(kept), fee=fee, grants=act.effects.grants if good else (),
            authorities=act.effects.authorities if good else (), creations=act.effects.creations if good else (),
        )  # fmt: skip
        if not good and any(one.succeeded for one in found):
            left = "a transaction failed: what those before it gave out of hand may be left"
            effects = replace(effects, gaps=(*effects.gaps, left))
        steps: list[Json] = [
            {"transaction": one.signature, "block": one.slot, "succeeded": one.succeeded, "reason": one.reason,
             "units": one.units, "fee": one.fee}
            for one in found
        ]  # fmt: skip
        return Outcome(effects, good, (), {"succeeded": good, "steps": steps})

    def _messages(self, account: Address, ready: Ready, blockhash: Blockhash) -> list[bytes]:
        plan = ready.plan
        assert isinstance(plan, SolanaPlan), "an action on Solana returns a plan for Solana"
        return [
            compile_message(
                account, budgeted(item.instructions, units, ready.price), blockhash,
                tables_of(self.cluster, item.tables),
            )
            for item, units in zip(plan.transactions, ready.units, strict=True)
        ]  # fmt: skip

    def _handed(self, item: Signed, before: bool) -> bool:
        """Hands a transaction to the node; a refusal counts where no node took it `before`."""
        try:
            with suppress(AlreadyKnown):
                self._send(item.raw)
        except (BadCall, Reverted) as error:
            if not before:
                raise self._open(item, error.message) from None
        return True

    def _send(self, raw: bytes) -> None:
        try:
            self.cluster.send_raw(raw)
        except BadCall as error:
            if "already been processed" in error.message:
                raise AlreadyKnown from None
            raise

    def _open(self, item: Signed, why: str) -> Unreachable:
        return Unreachable(
            f"transaction {item.hash} is in no block: {why}",
            hint=f"it may come until block {item.place}; `recover` gives back what it reserved {SLACK} blocks later",
        )


def _account(name: str) -> Address:
    return Address(name.rpartition(":")[2])


def _unsigned(item: Transaction, text: bytes) -> bytes:
    held = {signer.address: signer.message(text) for signer in item.signers}
    return assemble(text, [held.get(who, UNSIGNED) for who in signers_of(text)])


def _is_transaction(octets: bytes) -> bool:
    try:
        return bool(signers_of(octets))
    except BadCall:
        return False


def _native(account: Address, receipt: Receipt) -> int:
    """Returns how many more lamports an account has after a transaction."""
    place = receipt.accounts.index(account)
    return receipt.after[place] - receipt.before[place]


def _tokens(
    account: Address, prefix: str, receipts: Sequence[Receipt], shown: Collection[str]
) -> tuple[list[Move], list[Payment]]:
    """Returns what receipts say that happened to the tokens of an account: net moves, and who got what left it, or
    what was made for them of a token in `shown`."""
    net: dict[str, dict[str, int]] = {}
    for receipt in receipts:
        for sign_, holdings in ((-1, receipt.held), (1, receipt.holds)):
            _add(net, prefix, sign_, holdings)
    moves = [Move(asset, of[account]) for asset, of in net.items() if of.get(account)]
    payments = [
        Payment(asset, who, units) for asset, of in net.items() if asset in shown or of.get(account, 0) < 0
        for who, units in sorted(of.items()) if units > 0 and who != account
    ]  # fmt: skip
    return moves, payments


def _as_rehearsed(rehearsed: Sequence[Payment], told: Sequence[Payment]) -> list[Payment]:
    """Returns the payments that receipts tell, of assets whose payees the dry run called the same; otherwise those of
    the dry run, which knows SOL's payees, programs behind wallets, and what was minted for others."""
    found: list[Payment] = []
    for asset in dict.fromkeys(one.asset for one in (*rehearsed, *told)):
        before, after = ([one for one in part if one.asset == asset] for part in (rehearsed, told))
        found += after if {one.to for one in before} <= {one.to for one in after} else before
    return found


def _add(net: dict[str, dict[str, int]], prefix: str, sign_: int, holdings: Sequence[Held]) -> None:
    for one in holdings:
        of = net.setdefault(f"{prefix}/token:{one.mint}", {})
        of[one.owner] = of.get(one.owner, 0) + sign_ * one.units
