"""Subscriptions of one WebSocket connection: accounts, programs, logs, signatures, slots and roots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from mercato.chains.facade import dispatch
from mercato.chains.facade.audience import Outgoing
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import Fault
from mercato.chains.facade.limits import Limits
from mercato.chains.solana.facade import faults, wire
from mercato.chains.solana.facade.faults import params
from mercato.chains.solana.facade.parsed import Json
from mercato.chains.solana.facade.state import State, filters
from mercato.chains.solana.ledger import Record
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import SYSTEM, Account, Block

TOO_MANY = -32005


@dataclass(frozen=True, slots=True)
class News:
    """A block that came, with its transactions."""

    block: Block
    records: tuple[Record, ...]


@dataclass
class Wanted:
    """A subscription. `see` returns what is told of blocks that came; `last` is what it told of, `once` ends it."""

    kind: str
    see: Callable[[Wanted, Sequence[News]], list[object]]
    once: bool = False
    last: object = field(default=None)


class Session:
    """Answers the texts of one connection, and sends what it subscribed to through `send`, from any thread."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        cluster: LocalCluster,
        state: State,
        limits: Limits,
        look: Callable[[], None],
        send: Callable[[str], None],
    ) -> None:
        self._cluster, self._state, self._limits, self._look, self._out = cluster, state, limits, look, Outgoing(send)
        kinds = {
            "account": self.account, "logs": self.logs, "program": self.program, "root": self.root,
            "signature": self.signature, "slot": self.slot,
        }  # fmt: skip
        own = {f"{kind}Subscribe": self._subscriber(make) for kind, make in kinds.items()}
        own |= {f"{kind}Unsubscribe": self.unsubscribe for kind in kinds}
        self._methods = {**methods, **own}
        self._wanted: dict[int, Wanted] = {}
        self._ids = count(1)
        self._lock = self._out.lock

    @property
    def listens(self) -> bool:
        """Returns whether this connection subscribed to anything."""
        return bool(self._wanted)

    def answer(self, text: str) -> None:
        """Answers one text, then sends what was held back meanwhile."""
        self._out.answer(lambda: self._answered(text))

    def _answered(self, text: str) -> str | None:
        answered = dispatch.answer(text, self._methods, self._limits.batch, faults.of)
        self.take(())  # what is already so is told at once
        return answered

    def take(self, news: Sequence[News]) -> None:
        """Tells what this connection subscribed to of the blocks that came."""
        with self._lock:
            for id, wanted in tuple(self._wanted.items()):
                for result in wanted.see(wanted, news):
                    self._tell(id, wanted.kind, result)
                    if wanted.once:
                        self._wanted.pop(id, None)

    def account(self, given: Sequence[object]) -> Wanted:
        """`accountSubscribe`: whenever what lies at an address is other than before."""
        at, options = wire.address(wire.argument(given, 0, "address")), wire.options(given, 1)
        wire.encoding(options)

        def see(wanted: Wanted, news: Sequence[News]) -> list[object]:
            found = self._state.look(at)
            if found == wanted.last:
                return []
            wanted.last = found
            return [self._within(self._state.shown(found or GONE, options))]

        return Wanted("account", see, last=self._state.look(at))

    def program(self, given: Sequence[object]) -> Wanted:
        """`programSubscribe`: accounts of a program that transactions changed."""
        at, options = wire.address(wire.argument(given, 0, "program")), wire.options(given, 1)
        takes = filters(options)

        def see(wanted: Wanted, news: Sequence[News]) -> list[object]:
            changed = sorted({where for one in news for record in one.records for where in record.changed})
            found = [(where, account) for where in changed if (account := self._state.look(where))]
            mine = [(where, one) for where, one in found if one.owner == at and all(take(one) for take in takes)]
            return [
                self._within({"pubkey": where, "account": self._state.shown(account, options)})
                for where, account in mine
            ]

        return Wanted("program", see)

    def logs(self, given: Sequence[object]) -> Wanted:
        """`logsSubscribe`: of every transaction, or of those that mention an address."""
        match wire.argument(given, 0, "filter"):
            case "all" | "allWithVotes":
                mentioned = None
            case {"mentions": [named]}:
                mentioned = wire.address(named)
            case other:
                raise params(f"Invalid Request: {wire.shortened(other)}; only one address may be mentioned")

        def see(wanted: Wanted, news: Sequence[News]) -> list[object]:
            receipts = [(one.block.slot, record.receipt) for one in news for record in one.records]
            return [
                self._within({"signature": one.signature, "err": one.error, "logs": list(one.logs)}, slot)
                for slot, one in receipts
                if mentioned is None or mentioned in one.accounts
            ]

        return Wanted("logs", see)

    def signature(self, given: Sequence[object]) -> Wanted:
        """`signatureSubscribe`: once, as soon as a transaction is in a block; at once where it is."""
        name = wire.signature(wire.argument(given, 0, "signature"))
        wire.options(given, 1)

        def see(wanted: Wanted, news: Sequence[News]) -> list[object]:
            found = self._cluster.receipt(name)
            return [self._within({"err": found.error}, found.slot)] if found else []

        return Wanted("signature", see, once=True)

    def slot(self, given: Sequence[object]) -> Wanted:
        """`slotSubscribe`."""

        def see(wanted: Wanted, news: Sequence[News]) -> list[object]:
            return [{"parent": one.block.parent_slot, "root": one.block.slot, "slot": one.block.slot} for one in news]

        return Wanted("slot", see)

    def root(self, given: Sequence[object]) -> Wanted:
        """`rootSubscribe`: each block is final at once, so these are the slots again."""
        return Wanted("root", lambda wanted, news: [one.block.slot for one in news])

    def unsubscribe(self, given: Sequence[object]) -> bool:
        """Ends a subscription of any kind; Fault where there is none."""
        id = wire.number(wire.argument(given, 0, "subscription"), "subscription")
        with self._lock:
            if self._wanted.pop(id, None) is None:
                raise params("Invalid subscription id.")
        return True

    def _subscriber(self, make: Callable[[Sequence[object]], Wanted]) -> Method:
        def subscribe(given: Sequence[object]) -> int:
            if len(self._wanted) >= self._limits.subscriptions:
                raise Fault(TOO_MANY, f"too many subscriptions, at most {self._limits.subscriptions}")
            self._look()  # what happened before is not news to it
            wanted = make(given)
            with self._lock:
                id = next(self._ids)
                self._wanted[id] = wanted
            return id

        return subscribe

    def _within(self, value: object, slot: int | None = None) -> Json:
        return {"context": {"slot": self._cluster.block().slot if slot is None else slot}, "value": value}

    def _tell(self, id: int, kind: str, result: object) -> None:
        params = {"result": result, "subscription": id}
        self._out.tell({"jsonrpc": "2.0", "method": f"{kind}Notification", "params": params})


GONE = Account(0, SYSTEM)
