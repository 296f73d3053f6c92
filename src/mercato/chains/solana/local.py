"""The embedded cluster: slots, blocks, receipts and time of one's own around LiteSVM in this process.

Transactions are checked as a node checks them: signatures, a blockhash of the last 150 blocks or a durable nonce, and
that each runs once. Every block is final at once. There are no validators, votes and rewards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING

from mercato.chains.errors import BadCall, Reverted, StaleSnapshot, Unreachable
from mercato.chains.solana import clusters
from mercato.chains.solana.ledger import Holding, Ledger, Record
from mercato.chains.solana.machine import NONCE_AT, NONCE_SIZE, SLOT_HASHES, Machine, Result
from mercato.chains.solana.messages import assemble, decode
from mercato.chains.solana.model import (
    PRICED,
    SYSTEM,
    TOKEN,
    Account,
    Address,
    Block,
    Blockhash,
    Cluster,
    Controls,
    Held,
    Lifetime,
    Outcome,
    Receipt,
    Signature,
)  # fmt: skip
from mercato.chains.solana.reasons import words
from mercato.chains.solana.tokens import MINT_SIZE, WRAPPED, mint, token_account
from mercato.core import chain as names

if TYPE_CHECKING:
    from solders.transaction import VersionedTransaction

START = 1_767_225_600  # 2026-01-01
WINDOW = 150  # blocks for which a blockhash is good
#: The mint of wrapped SOL as on mainnet: nobody's, without a supply, 9 decimals.
WRAPPED_MINT = bytes(44) + bytes([9, 1]) + bytes(36)


@dataclass(frozen=True)
class _Mark:
    height: int
    waiting: tuple[VersionedTransaction, ...]
    ahead: int
    depth: int


class LocalCluster(Cluster, Controls):
    """A cluster in this process. Every method may be called from any thread; each is done as a whole.

    With `automine` each transaction gets a block of its own at once; otherwise it waits for `mine`. Without a `clock`
    each block lies one second after the one before; with one, such as `time.time`, at its time but never before.
    """

    def __init__(self, start: int = START, automine: bool = True, clock: Callable[[], float] | None = None) -> None:
        self.automine = automine
        self._clock, self._ahead = clock, 0
        self._machine = Machine()
        self._machine.open(0, start)
        self._machine.put(WRAPPED, Account(self._machine.rent(MINT_SIZE), TOKEN, WRAPPED_MINT))
        first = self._machine.close()
        self._ledger = Ledger(Block(0, 0, first, 0, Blockhash(SYSTEM), start, ()))
        self._machine.remember(self._ledger.blocks)
        self._waiting: list[VersionedTransaction] = []
        self._marks: list[_Mark] = []
        self._lock = RLock()

    @property
    def name(self) -> names.Chain:
        """The cluster's CAIP-2 name."""
        return clusters.EMBEDDED

    def send_raw(self, signed: bytes, *, preflight: bool = True) -> Signature:
        """Sends a signed transaction. BadCall where no block could take it.

        One that would fail is refused with Reverted and leaves no trace, as nodes do; without `preflight` it is kept
        in a block as a failure, and pays its fee.
        """
        transaction = decode(signed)
        with self._lock:
            if error := self._refusal(transaction):
                raise BadCall(f"transaction was refused: {words(error)}", hint="sign it anew", error=error)
            with self._next():
                tried = self._machine.peek(transaction)
            if tried.error is not None and (preflight or not tried.taken):
                raise _refused(tried)
            return self._take(transaction)

    def receipt(self, transaction: Signature) -> Receipt | None:
        """Returns what became of a transaction; None where it is not in a block."""
        found = self.record(transaction)
        return found.receipt if found else None

    def record(self, transaction: Signature) -> Record | None:
        """Returns all that is known of a transaction; None where it is not in a block."""
        with self._lock:
            return self._ledger.records.get(transaction)

    def wait(self, transaction: Signature, seconds: int = 60) -> Receipt:
        """Returns the receipt at once; Unreachable where there is none yet, since no block comes by itself."""
        found = self.receipt(transaction)
        if found is None:
            raise Unreachable(f"transaction was {transaction!r}, which is in no block", hint="make one with mine()")
        return found

    def simulate(self, transaction: bytes, accounts: Sequence[Address] = (), *, after: Sequence[bytes] = ()) -> Outcome:
        """Returns what a transaction would do in the next block; nothing is kept, nothing raised but BadCall.

        Those `after` which it is tried run before it in the same block.
        """
        parsed, others = decode(transaction), [decode(one) for one in after]
        with self._lock, self._machine.undone(), self._next():
            for other in others:
                self._machine.run(other)
            return self._tried(parsed, accounts)

    def attempt(self, transaction: bytes) -> Result:
        """Returns all that a transaction would do in the next block, as `simulate` tries it."""
        with self._lock, self._next():
            return self._machine.peek(decode(transaction))

    def refusal(self, transaction: bytes, *, verify: bool = True, recent: bool = True) -> str:
        """Returns why no block would take a transaction, in a node's word for it; "" where one would.

        Its signatures are looked at with `verify`, its blockhash and whether it ran already with `recent`.
        """
        with self._lock:
            return self._refusal(decode(transaction), verify=verify, recent=recent)

    def balance(self, address: Address) -> int:
        """Returns the account's lamports."""
        found = self.accounts([address])[0]
        return found.lamports if found else 0

    def accounts(self, addresses: Sequence[Address]) -> tuple[Account | None, ...]:
        """Returns what lies at each address; None where nothing does."""
        with self._lock:
            return tuple(self._machine.account(address) for address in addresses)

    def owned(self, program: Address, size: int | None = None) -> dict[Address, Account]:
        """Returns the accounts that a program owns, of `size` bytes of data where one is given."""
        with self._lock:
            found = self._machine.owned(program)
        return {at: account for at, account in found.items() if size is None or len(account.data) == size}

    def lifetime(self) -> Lifetime:
        """Returns the newest blockhash, and for how long it can be used."""
        with self._lock:
            return Lifetime(self._ledger.newest.hash, self._ledger.newest.height + WINDOW)

    def good(self, blockhash: str) -> bool:
        """Returns whether a transaction with a blockhash could be in the next block."""
        with self._lock:
            height = self._ledger.height(blockhash)
            return height is not None and self._ledger.newest.height + 1 <= height + WINDOW

    def height(self, *, final: bool = False) -> int:
        """Returns the number of blocks below the newest one, which is final at once."""
        return self.block().height

    def block(self, slot: int | None = None) -> Block:
        """Returns a block; None asks for the newest. NotFound where the slot was skipped or has not come."""
        with self._lock:
            return self._ledger.block(slot)

    def blocks(self, first: int, last: int) -> list[Block]:
        """Returns the blocks of slots from `first` to `last`, both included."""
        with self._lock:
            return self._ledger.between(first, last)

    def time(self) -> int:
        """Returns the newest block's time in seconds since 1970."""
        return self.block().time

    def fee(self, message: bytes) -> int:
        """Returns the lamports that sending a message costs. BadCall where its blockhash is too old."""
        parsed = decode(assemble(message))
        with self._lock:
            if error := self._refusal(parsed, verify=False):
                raise BadCall(f"message was refused: {words(error)}", hint="take a newer blockhash", error=error)
            with self._next():
                return self._machine.peek(parsed).fee

    def rent(self, size: int) -> int:
        """Returns the lamports that an account with so many bytes of data must hold."""
        if not 0 <= size <= 10 * 2**20:
            raise BadCall(f"size was {size!r} bytes", hint="an account holds at most 10 MiB")
        return self._machine.rent(size)

    def priorities(self, addresses: Sequence[Address] = ()) -> tuple[int, ...]:
        """Returns 0 for each recent block: nobody has to outbid anybody here."""
        if len(addresses) > PRICED:
            raise BadCall(f"addresses were {len(addresses)}", hint=f"at most {PRICED}")
        return (0,) * min(self.height() + 1, WINDOW)

    def history(self, address: Address, limit: int = 100) -> tuple[Signature, ...]:
        """Returns the newest transactions that named an address, newest first."""
        with self._lock:
            return tuple(reversed(self._ledger.history(address)[-limit:])) if limit > 0 else ()

    def epoch(self) -> tuple[int, int, int]:
        """Returns the epoch, the newest slot's place in it, and how many slots it has."""
        with self._lock:
            return (*self._machine.epoch(self._ledger.newest.slot), self._machine.epoch_slots)

    def fund(self, address: Address, lamports: int) -> None:
        """Sets an account's lamports."""
        with self._lock:
            before = self._machine.account(address) or Account(0, SYSTEM)
            self._machine.put(address, Account(lamports, before.owner, before.data, before.executable))

    def put(self, address: Address, account: Account) -> None:
        """Sets an account, whatever its owner would say."""
        with self._lock:
            self._machine.put(address, account)

    def mine(self, blocks: int = 1, *, seconds: int = 1) -> None:
        """Makes blocks; the first takes all that waits and lies `seconds` after the newest, the others one each."""
        with self._lock:
            for gap in (seconds, *[1] * (blocks - 1)):
                self._make(self._ledger.newest.slot + 1, self._passed(gap))

    def warp(self, slot: int, *, seconds: int = 1) -> None:
        """Makes one block at a later slot, of all that waits; those between are skipped. BadCall unless it is later."""
        with self._lock:
            if slot <= (newest := self._ledger.newest.slot):
                raise BadCall(f"slot was {slot!r}", hint=f"the newest is {newest}; slots only grow")
            self._make(slot, self._passed(seconds))

    def snapshot(self) -> int:
        """Returns a mark to come back to. Marks are reverted newest first."""
        with self._lock:
            height, waiting = self._ledger.newest.height, tuple(self._waiting)
            self._marks.append(_Mark(height, waiting, self._ahead, self._machine.depth))
            self._machine.marks = len(self._marks)
            return len(self._marks)

    def revert(self, mark: int) -> None:
        """Goes back to a mark and forgets it; StaleSnapshot unless it is the newest one."""
        with self._lock:
            if mark != len(self._marks) or not self._marks:
                raise StaleSnapshot(
                    f"mark was {mark!r}, the newest one is {len(self._marks) or None}", hint="revert newest first"
                )
            kept = self._marks.pop()
            self._machine.back(kept.depth)
            self._machine.marks = len(self._marks)
            self._ledger.cut(kept.height)
            self._waiting, self._ahead = list(kept.waiting), kept.ahead
            self._settle()

    def _refusal(self, item: VersionedTransaction, *, verify: bool = True, recent: bool = True) -> str:
        """Returns why no block would take a transaction, in a node's word for it; "" where one would."""
        if verify and not all(item.verify_with_results()):
            return "SignatureFailure"
        signature = Signature(str(item.signatures[0]))
        if recent and (signature in self._ledger.records or any(item == other for other in self._waiting)):
            return "AlreadyProcessed"
        if recent and not self.good(str(item.message.recent_blockhash)) and not self._durable(item):
            return "BlockhashNotFound"
        return ""

    def _durable(self, item: VersionedTransaction) -> Address | None:
        """Returns the nonce account that a transaction uses up, where its nonce stands in place of the blockhash."""
        if not item.uses_durable_nonce():
            return None
        message = item.message
        address = Address(str(message.account_keys[message.instructions[0].accounts[0]]))
        account = self._machine.account(address)
        if account is None or account.owner != SYSTEM or len(account.data) != NONCE_SIZE:
            return None
        stored = account.data[NONCE_AT : NONCE_AT + 32]
        return address if stored == bytes(message.recent_blockhash) else None

    def _tried(self, item: VersionedTransaction, accounts: Sequence[Address] = ()) -> Outcome:
        found = self._machine.peek(item)
        state = tuple(found.changed.get(at) or self._machine.account(at) for at in accounts)
        after = tuple(account if account and account.lamports else None for account in state)
        failed = found.error is not None
        return Outcome(
            not failed,
            found.units,
            found.logs,
            found.returned,
            () if failed else after,
            words(found.error),
            found.error,
            found.fee,
        )

    def _take(self, item: VersionedTransaction) -> Signature:
        """Puts a transaction into a block of its own, or into the queue."""
        self._waiting.append(item)
        if self.automine:
            self._make(self._ledger.newest.slot + 1, self._next_time())
        return Signature(str(item.signatures[0]))

    def _make(self, slot: int, time: int) -> None:
        """Runs all that waits and seals it; what can no longer be included is dropped, as a node drops it."""
        waiting, self._waiting = self._waiting, []
        self._machine.open(slot, time)
        records = [self._ran(item, slot, time) for item in waiting if not self._refusal(item, verify=False)]
        done = [record for record in records if record]
        newest = self._ledger.newest
        signatures = tuple(record.receipt.signature for record in done)
        block = Block(slot, newest.height + 1, self._machine.close(), newest.slot, newest.hash, time, signatures)
        self._ledger.append(block, done)
        self._settle()

    def _settle(self) -> None:
        """Gives programs the newest block's clock, and the blocks that they may know of."""
        newest = self._ledger.newest
        self._machine.open(newest.slot, newest.time)
        self._machine.remember(self._ledger.blocks[: -SLOT_HASHES - 1 : -1])

    def _ran(self, item: VersionedTransaction, slot: int, time: int) -> Record | None:
        named = self._machine.named(item)
        addresses = [address for address, _ in named]
        before = [self._machine.account(address) for address in addresses]
        held = self._holdings(addresses, before)
        nonce = self._durable(item)
        result = self._machine.run(item)
        if not result.taken:
            return None
        if nonce and result.error is not None:
            self._machine.advance(nonce)
        after = [self._machine.account(address) for address in addresses]
        holds = self._holdings(addresses, after)
        receipt = Receipt(
            Signature(str(item.signatures[0])), slot, time, result.error is None, result.fee, result.units, result.logs,
            tuple(addresses), _lamports(before), _lamports(after), words(result.error), result.error,
            _held(addresses, held), _held(addresses, holds),
        )  # fmt: skip
        loaded = named[len(item.message.account_keys) :]
        changed = frozenset(at for at, old, new in zip(addresses, before, after, strict=True) if old != new)
        tables = tuple(at for at, writable in loaded if writable), tuple(at for at, writable in loaded if not writable)
        return Record(bytes(item), receipt, result, tables, held, holds, changed)

    def _holdings(self, addresses: Sequence[Address], found: Sequence[Account | None]) -> tuple[Holding, ...]:
        held = []
        for place, account in enumerate(found):
            token = token_account(account)
            of = token and mint(self._machine.account(token.mint))
            if account and token and of:
                held.append(Holding(place, token, of.decimals, account.owner))
        return tuple(held)

    @contextmanager
    def _next(self) -> Iterator[None]:
        """Lets programs see the clock of the block that would come next."""
        newest = self._ledger.newest
        self._machine.open(newest.slot + 1, self._next_time())
        try:
            yield
        finally:
            self._machine.open(newest.slot, newest.time)

    def _passed(self, seconds: int) -> int:
        time = self._ledger.newest.time + seconds
        if self._clock:
            self._ahead = max(self._ahead, time - int(self._clock()))
        return time

    def _next_time(self) -> int:
        newest = self._ledger.newest.time
        return max(newest, int(self._clock()) + self._ahead) if self._clock else newest + 1


def _lamports(found: Sequence[Account | None]) -> tuple[int, ...]:
    return tuple(account.lamports if account else 0 for account in found)


def _held(addresses: Sequence[Address], found: Sequence[Holding]) -> tuple[Held, ...]:
    return tuple(Held(addresses[one.place], one.account.mint, one.account.owner, one.account.amount) for one in found)


def _refused(tried: Result) -> BadCall | Reverted:
    """Returns the error of a transaction that would fail: it ran, or it was never let in."""
    reason = words(tried.error)
    if tried.taken:
        return Reverted(reason, hint=tried.logs[-1][:200] if tried.logs else "")
    return BadCall(f"transaction was refused: {reason}", hint="does its payer exist?", error=tried.error)
