"""The kit's verbs: plan, try, judge, reserve, sign, send, settle; and going on after a crash.

kit = Kit(ledger, Rail(chain, clock), catalogue, book="agent", wallet=Key.new())
kit.act(kit.intent("transfer", {"token": …, "to": …, "amount": "1000000"}))
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mercato.chains.errors import BadCall, RealChainRefused, Unreachable
from mercato.core.events import Json
from mercato.kit.actions import Catalogue
from mercato.kit.acts import Act, State
from mercato.kit.errors import Denied, Frozen, Taken, WouldFail
from mercato.kit.ledger import Ledger
from mercato.kit.model import ACTS, Decision, Effects, Intent, Origin, Plan, Reserve, Verdict, within
from mercato.kit.policy import Policy
from mercato.kit.rail import NOWHERE, Fate, Holder, Lost, Rail, Ready

Place = TypeVar("Place", bound=str)
Purse = TypeVar("Purse", bound=Holder)
End = TypeVar("End", bound=Fate)
NOTE = 2_000  # letters of a note


@dataclass(frozen=True, slots=True)
class Proposal:
    """An intent that was tried and judged, with nothing reserved and nothing signed.

    `unsigned` are its transactions for a person's own wallet to sign, where the kit only watches.
    """

    intent: Intent
    ready: Ready
    decision: Decision
    explained: tuple[tuple[str, str], ...]
    unsigned: tuple[bytes, ...] = ()


class Kit:
    """What an agent acts through, on one chain, from one account and under one book's policy.

    Without a wallet it is watch-only: it plans, tries and judges for `account`, and signs nothing.
    """

    def __init__(
        self,
        ledger: Ledger,
        rail: Rail[Place, Purse, End],
        actions: Catalogue,
        *,
        book: str,
        wallet: Purse | None = None,
        account: Place | None = None,
    ) -> None:
        self.ledger, self.actions, self.book, self._wallet = ledger, actions, book, wallet
        # Rail, wallet and account fit together: this call's types say so, and nothing changes them afterwards.
        self.rail: Rail[Any, Any, Any] = rail
        who = wallet.address if wallet else account
        assert who is not None, "a kit acts for a wallet, or watches an account"
        self.address: str = who

    @property
    def account(self) -> str:
        """Returns the CAIP-10 name of the account."""
        return f"{self.rail.name}:{self.address}"

    def intent(
        self, action: str, arguments: Mapping[str, Json], *, origin: Origin = Origin.AGENT, note: str = ""
    ) -> Intent:
        """Returns a new intent; BadArgument where the action is unknown or an argument cannot be right."""
        self.actions.named(action).checked(arguments)
        at = self.ledger.clock.now()
        return Intent(ACTS.new(), self.book, self.account, action, dict(arguments), origin, at, note[:NOTE])

    def read(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Returns what an action that only reads has to say."""
        return self.actions.named(action).answer(self._ground(), arguments)

    def plan(self, intent: Intent) -> Plan:
        """Returns the unsigned transactions that an intent comes to."""
        return self.actions.named(intent.action).plan(self._ground(intent.id), intent.arguments)

    def propose(self, intent: Intent) -> Proposal:
        """Returns what an intent would do, and what the policy and its budgets say of it now; nothing is kept.

        WouldFail.
        """
        policy = self._policy()
        ready = self._ready(self.plan(intent), policy)
        now = self.ledger.clock.now()
        explained = tuple(policy.explain(intent, ready.effects, now))
        unsigned = () if self._wallet else tuple(self.rail.unsigned(self.address, ready))
        decision = self.ledger.afforded(intent, policy.judge(intent, ready.effects, now))
        return Proposal(intent, ready, decision, explained, unsigned)

    def act(self, intent: Intent) -> Act:
        """Does what an intent asks, if the policy allows it: returns the act once it is settled, or waits for approval.

        Denied with the rule or budget that said no, WouldFail, Frozen; the journal has them all. Unreachable leaves
        the act signed: `recover` goes on with it.
        """
        policy = self._policy()
        plan = self.plan(intent)
        try:
            ready = self._ready(plan, policy)
        except WouldFail as error:
            self.ledger.refuse(intent, plan.body(), None, Decision(Verdict.DENY, "", error.message, policy.hash))
            raise
        decision = policy.judge(intent, ready.effects, self.ledger.clock.now())
        if decision.verdict is Verdict.DENY:
            self.ledger.refuse(intent, plan.body(), ready.effects, decision)
            raise Denied(decision.why, hint="`explain` shows every rule", rule=decision.rule)
        if decision.verdict is Verdict.ASK:
            return self.ledger.ask(intent, plan.body(), ready.effects, decision)
        return self._carry(intent, ready, decision)

    def resume(self, id: str) -> Act:
        """Does what was approved, if it still does no more than was shown. Denied otherwise; Taken where it is not
        approved."""
        held = self.ledger.act(id)
        if held.state is not State.AGREED:
            raise Taken(f"act {id!r} is {held.state.value}", hint="only what was approved can go on")
        policy = self._policy()
        ready = self._ready(self.plan(held.intent), policy)
        decision = policy.judge(held.intent, ready.effects, self.ledger.clock.now())
        more = within(ready.effects, held.effects)
        if decision.verdict is Verdict.DENY or more:
            refused = replace(decision, verdict=Verdict.DENY, why=more or decision.why)
            self.ledger.refuse(held.intent, ready.plan.body(), ready.effects, refused)
            raise Denied(refused.why, hint="ask for it anew", rule=decision.rule)
        return self._carry(held.intent, ready, decision)

    def recover(self) -> list[Act]:
        """Goes on with what a dead process left: gives back what was not signed, brings to an end what was.

        Call it at the start. What was signed is sent as it was signed, so nothing is spent twice.
        """
        done = []
        for act in self.ledger.claim(self.book):
            if act.state is State.RESERVED:
                done.append(self.ledger.release(act, "its process ended before it was signed"))
            elif act.intent.account == self.account:
                with suppress(WouldFail):  # it was released, as the journal says
                    self._finish(act)
                done.append(self.ledger.act(act.id))
        return done

    def _carry(self, intent: Intent, ready: Ready, decision: Decision) -> Act:
        if self._wallet is None:
            raise Denied("this kit watches only, it has no key", hint="`dry-run` tells what to sign elsewhere")
        floor, count = self.rail.places(self.address, ready.plan)
        act = self.ledger.reserve(intent, ready.plan.body(), ready.effects, decision, floor=floor, count=count)
        try:
            signed = self.ledger.sign(act, self.rail.sign(self._wallet, ready, act.places))
        except Exception as error:
            with suppress(Taken):  # somebody else goes on with it
                self.ledger.release(act, f"it was not signed: {type(error).__name__}")
            raise
        return self._finish(signed, late=False)

    def _finish(self, act: Act, *, late: bool = True) -> Act:
        """Sends what was signed, in order, and books what became of it; `late` where it was not signed just now."""
        if any(item.place == NOWHERE for item in act.signed):
            return self.ledger.settle(act, act.effects, act.decision.reserves, {"succeeded": True, "steps": []}, ())
        found: list[Fate] = []
        for number, item in enumerate(act.signed):
            # The first is sent at once after a transaction that looked.
            if (number or late) and self.ledger.book(self.book).frozen:
                raise Frozen(f"book {self.book!r} is frozen", hint=f"{act.id} is signed; thaw, then recover")
            try:
                receipt = self.rail.send(self.address, item)
            except Unreachable:
                self.ledger.sent(act, item.hash)
                raise
            except RealChainRefused:
                if not late and not found:  # it never left this process
                    self.ledger.release(act, "the fuse for real chains is in")
                raise
            except (BadCall, Lost) as error:
                if not found:
                    why = error.message if isinstance(error, BadCall) else error.why
                    self.ledger.release(act, why)
                    raise WouldFail(f"act {act.id} did not come into a block: {why}", hint="try it again") from None
                break
            found.append(receipt)
            if not receipt.succeeded:
                break
        outcome = self.rail.outcome(act, found)
        spent = [one for item in act.decision.reserves if (one := _spent(item, act.effects, outcome.effects)).units]
        sent = [item.hash for item, _ in zip(act.signed, found, strict=False)]
        return self.ledger.settle(act, outcome.effects, spent, outcome.body, outcome.used, sent)

    def _ready(self, plan: Plan, policy: Policy) -> Ready:
        return self.rail.ready(self.address, plan, (name for name in policy.assets.values()))

    def _policy(self) -> Policy:
        return self.ledger.policy(self.book)

    def _ground(self, seed: str = "") -> object:
        return self.rail.ground(self.address, seed)


def _spent(item: Reserve, rehearsed: Effects, done: Effects) -> Reserve:
    """Returns what an act really took of a budget that it had reserved."""
    if any(payment.to == item.scope for payment in rehearsed.payments):
        units = sum(one.units for one in done.payments if one.asset == item.asset and one.to == item.scope)
    else:
        units = done.spent.get(item.asset, 0)
    return replace(item, units=units)
