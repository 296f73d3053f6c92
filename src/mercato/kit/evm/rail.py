"""The way from a plan to a block on an EVM chain: try it, sign it, send it, and read what became of it.

Everything that is sent was signed before, and is kept: sending the same bytes twice spends nothing twice, because they
bear the same nonce.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from mercato.chains import Address, Chain, Hash, Receipt, Signer, keccak
from mercato.chains.addresses import create_address
from mercato.chains.errors import BadCall
from mercato.chains.signing import unsigned
from mercato.chains.transactions import decode
from mercato.core.chain import Account
from mercato.core.clock import Clock
from mercato.core.events import Json
from mercato.kit.actions import Ground
from mercato.kit.acts import Act, Signed
from mercato.kit.errors import BadArgument, Taken
from mercato.kit.evm.rehearsal import NATIVE, receipts, rehearse
from mercato.kit.model import Move, Plan
from mercato.kit.rail import NOWHERE, AlreadyKnown, Lost, Outcome, Ready

TURNS = 100  # how often a transaction waits for one of a lower nonce, which another process sends
PASSED = "its nonce was used by another transaction"
SPARE, EXTRA = 50, 40_000  # percent and units of gas above the dry run's: refunds and calls within calls need more


class Rail:
    """One EVM chain. `tip` is wei per gas for the block's maker, on chains that have a base fee."""

    def __init__(self, chain: Chain, clock: Clock, *, tip: int = 10**9) -> None:
        self.chain, self.clock, self._tip = chain, clock, tip

    @property
    def name(self) -> str:
        """Returns the chain's CAIP-2 name."""
        return str(self.chain.name)

    @property
    def native(self) -> str:
        """Returns the CAIP-19 name of the money that fees are paid in."""
        return f"{self.chain.name}/{NATIVE}"

    def account(self, name: str) -> Address:
        """Returns the address in a CAIP-10 name; BadArgument where it is of another chain."""
        found = Account.parse(name)
        if str(found.chain) != self.name:
            raise BadArgument(f"account was {name!r}", hint=f"this chain is {self.name}")
        return Address(found.address)

    def ready(self, account: Address, plan: Plan, assets: Iterable[str]) -> Ready:
        """Returns the plan with what it would do; WouldFail where a step would fail."""
        if plan.message:
            return Ready(plan, plan.message.effects)
        tried = rehearse(self.chain, account, plan, assets)
        base = self.chain.block().base_fee
        tip = self._tip if base else 0
        gas = tuple(used * (100 + SPARE) // 100 + EXTRA for used in tried.gas)
        effects = replace(tried.effects, fee_asset=self.native, fee=sum(gas) * (2 * base + tip))
        return Ready(plan, effects, gas, 2 * base + tip, tip)

    def ground(self, account: Address, seed: str = "") -> Ground:
        """Returns what actions work on."""
        return Ground(self.chain, account)

    def places(self, account: Address, plan: Plan) -> tuple[int, int]:
        """Returns the nonce of the account's next transaction, and how many the plan has."""
        count = len(plan.steps)
        return (self.chain.nonce(account) if count else 0), count

    def sign(self, signer: Signer, ready: Ready, places: Sequence[int]) -> list[Signed]:
        """Returns each step signed, at its nonce, or the message; Taken where a creation would lie elsewhere by now."""
        if message := ready.plan.message:
            return [Signed(NOWHERE, "0x" + message.digest.hex(), signer.digest(message.digest))]
        made = [place for step, place in zip(ready.plan.steps, places, strict=True) if not step.to]
        if tuple(create_address(signer.address, place) for place in made) != ready.effects.creations:
            raise Taken("another transaction took the nonce by which a contract was to be created", hint="try again")
        raws = [signer.transaction(fields) for fields in self._fields(ready, places)]
        return [Signed(place, "0x" + keccak(raw).hex(), raw) for place, raw in zip(places, raws, strict=True)]

    def unsigned(self, account: Address, ready: Ready) -> list[bytes]:
        """Returns each step without a signature, at the account's next nonces; nothing where it could not be tried."""
        if not ready.units:
            return []
        first, count = self.places(account, ready.plan)
        return [unsigned(fields, account) for fields in self._fields(ready, range(first, first + count))]

    def send(self, account: Address, item: Signed) -> Receipt:
        """Sends a transaction unless it is in a block already, and returns its receipt.

        Lost where its nonce was used by another; BadCall where the chain refuses it, Unreachable where nobody knows.
        """
        for _ in range(TURNS):
            if (found := self.chain.receipt(Hash(item.hash))) is not None:
                return found
            try:
                with suppress(AlreadyKnown):
                    self._send(item.raw)
                return self.chain.wait(Hash(item.hash))
            except BadCall:
                place = self.chain.nonce(account)
                if place > item.place:
                    if (found := self.chain.receipt(Hash(item.hash))) is not None:
                        return found
                    raise Lost(PASSED) from None
                if place == item.place:
                    raise
            self.clock.sleep(0.05)
        raise Lost(PASSED)

    def _fields(self, ready: Ready, places: Sequence[int]) -> Iterator[dict[str, object]]:
        for step, gas, place in zip(ready.plan.steps, ready.units, places, strict=True):
            fields: dict[str, object] = {
                "chainId": int(self.chain.name.reference), "nonce": place, "gas": gas, "value": step.value,
                "maxFeePerGas": ready.price, "maxPriorityFeePerGas": ready.tip, "data": step.data,
            }  # fmt: skip
            yield {**fields, "to": step.to} if step.to else fields

    def _send(self, raw: bytes) -> None:
        try:
            self.chain.send_raw(raw)
        except BadCall as error:
            if "already known" in error.message.lower():
                raise AlreadyKnown from None
            raise

    def outcome(self, act: Act, found: Sequence[Receipt]) -> Outcome:
        """Returns what an act did. Tokens go by the logs in its blocks; the native money that contracts paid to the
        account, which no log tells, as the dry run had it."""
        account = self.account(act.intent.account)
        good = len(found) == len(act.signed) and all(item.succeeded for item in found)
        logs = [log for item in found for log in item.logs]
        moves, payments = receipts(account, self.name, logs)
        charged = zip(found, act.signed, strict=False) if act.effects.fee else ()
        fee = sum(self._fee(item, signed) for item, signed in charged)
        native = [move for move in act.effects.moves if move.asset == self.native]
        if not good:
            sent = sum(decode(one.raw).value for one, item in zip(act.signed, found, strict=False) if item.succeeded)
            native = [Move(self.native, -sent)] if sent else []
        paid = [item for item in act.effects.payments if item.asset == self.native] if good else []
        effects = replace(
            act.effects, moves=(*moves, *native), payments=(*paid, *payments), fee=fee,
            creations=tuple(str(item.created) for item in found if item.created),
            grants=act.effects.grants if good else (), authorities=act.effects.authorities if good else (),
        )  # fmt: skip
        if not good and any(item.succeeded for item in found):
            left = "a step failed: allowances that the steps before it gave may be left"
            effects = replace(effects, gaps=(*effects.gaps, left))
        used = tuple(item.place for item, _ in zip(act.signed, found, strict=False))
        steps: list[Json] = [
            {"transaction": item.transaction, "block": item.block, "succeeded": item.succeeded, "reason": item.reason,
             "gas_used": item.gas_used}
            for item in found
        ]  # fmt: skip
        return Outcome(effects, good, used, {"succeeded": good, "steps": steps})

    def _fee(self, receipt: Receipt, signed: Signed) -> int:
        offered = decode(signed.raw)
        return receipt.gas_used * offered.price(self.chain.block(receipt.block).base_fee)
