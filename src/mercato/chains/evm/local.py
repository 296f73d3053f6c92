"""The embedded chain: blocks, receipts, logs and time of one's own around an EVM in this process.

It takes any sender's word, as long as the transaction is not signed; signed ones are checked as a node checks them.
The base fee is 0, so only signed transactions pay for gas, what they offer. A block takes any number of transactions.
`gas_used` is exact with the engine `py-evm` and too low with `pyrevm`, see `exact_gas`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.util import find_spec
from threading import RLock
from typing import Literal

from mercato.chains.errors import BadCall, Reverted, StaleSnapshot, Unreachable
from mercato.chains.evm.engine import GAS_LIMIT, Engine, Head, Message
from mercato.chains.evm.ledger import Ledger
from mercato.chains.evm.past import Grant, Past
from mercato.chains.evm.sealing import Done, message, receipts, sealed, sent, why
from mercato.chains.model import Address, Block, Call, Chain, Controls, Fees, Hash, Log, LogQuery, Outcome, Receipt
from mercato.chains.transactions import Transaction, decode, unsigned
from mercato.core import chain as names
from mercato.core.errors import Conflict

EngineName = Literal["pyrevm", "py-evm"]
START = 1_767_225_600  # 2026-01-01
MARKS = 256  # pyrevm counts each as a call, of which 1024 may nest
NOWHERE = Hash("0x" + "0" * 64)


@dataclass(frozen=True)
class _Mark:
    height: int
    waiting: tuple[Transaction, ...]
    ahead: int
    grants: int


class LocalChain(Chain, Controls):
    """A chain in this process. Every method may be called from any thread; each is done as a whole.

    With `automine` each transaction gets a block of its own at once; otherwise it waits for `mine`. Without a `clock`
    each block lies one second after the one before; with one, such as `time.time`, at its time but never before.
    """

    def __init__(
        self,
        chain_id: int = 31337,
        start: int = START,
        engine: EngineName = "pyrevm",
        automine: bool = True,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.chain_id, self.automine = chain_id, automine
        self._name = names.Chain("eip155", str(chain_id))
        self._clock, self._ahead = clock, 0
        self._engine = open_engine(engine, chain_id)
        self._measured: Engine | None = None
        self._past = Past(lambda: open_engine(engine, chain_id))
        self._ledger = Ledger(sealed(Head(0, start, bytes(32)), NOWHERE, ()))
        self._waiting: list[Transaction] = []
        self._queued: Counter[Address] = Counter()  # how many of them each sender has
        self._marks: list[_Mark] = []
        self._lock = RLock()

    @property
    def name(self) -> names.Chain:
        """The chain's CAIP-2 name."""
        return self._name

    @property
    def exact_gas(self) -> bool:
        """Whether `gas_used` is what a real node would count; otherwise it is a lower bound."""
        return self._engine.exact

    def send(self, call: Call) -> Hash:
        """Sends a transaction for any account, taking its word. BadCall where it cannot be paid.

        Without `call.gas` it is refused with Reverted where it would fail in a block of its own, and leaves no trace.
        """
        with self._lock:
            gas = GAS_LIMIT if call.gas is None else call.gas
            transaction = unsigned(call, self.chain_id, self.nonce(call.sender), gas)
            return self._take(transaction, refuse=call.gas is None)

    def send_raw(self, signed: bytes) -> Hash:
        """Sends a signed transaction; BadCall where its chain, nonce, fee or the sender's balance are not right.

        One that fails is kept in a block with its reason, as on a node.
        """
        transaction = decode(signed)
        with self._lock:
            self._check(transaction)
            return self._take(transaction, refuse=False)

    def receipt(self, transaction: Hash) -> Receipt | None:
        """Returns what became of a transaction; None where it is not in a block."""
        with self._lock:
            return self._ledger.receipts.get(transaction)

    def wait(self, transaction: Hash, seconds: int = 60) -> Receipt:
        """Returns the receipt at once; Unreachable where there is none yet, since no block comes by itself."""
        found = self.receipt(transaction)
        if found is None:
            raise Unreachable(f"transaction was {transaction!r}, which is in no block", hint="make one with mine()")
        return found

    def transaction(self, transaction: Hash) -> Transaction | None:
        """Returns a transaction that is in a block or waits for one; None where there is no such."""
        with self._lock:
            waiting = (item for item in self._waiting if item.hash == transaction)
            return self._ledger.transactions.get(transaction) or next(waiting, None)

    def call(self, call: Call, at: int | None = None) -> bytes:
        """Returns what a call gives back on the state after block `at` (None: the newest). Raises Reverted.

        The first look back runs every earlier block again, see `evm.past`.
        """
        with self._lock:
            block = self.block(at)
            newest = block.number == len(self._ledger.blocks) - 1
            engine = self._engine if newest else self._past.after(block.number, self._played)
            if not engine.exact and engine.code(call.sender):  # pyrevm lets no contract call, nodes do
                from mercato.chains.evm.measured import Measured

                engine = Measured(self.chain_id, engine)
            engine.mark()
            try:
                result = engine.peek(message(call), self._head(block.time, block.number))
            finally:
                engine.back()
        if not result.succeeded:
            raise Reverted(why(result), result.output)
        return result.output

    def simulate(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        """Returns what the calls would do one after another in the next block; nothing is kept, nothing raised."""
        with self._lock:
            head = self._head(self._next_time())
            self._engine.mark()
            try:
                return tuple(self._tried(call, head) for call in calls)
            finally:
                self._engine.back()

    def measure(self, call: Call) -> Outcome:
        """Returns what a call would do in the next block by the exact engine, whichever one this chain runs on.

        Its gas is what a real node counts. Nothing is kept. The first time takes a second, to load py-evm.
        """
        if self._engine.exact:
            return self.simulate([call])[0]
        if self._measured is None:  # before the lock is taken, which nobody should wait a second for
            from mercato.chains.evm.measured import Measured

            self._measured = Measured(self.chain_id, self)
        with self._lock:
            return self._tried(call, self._head(self._next_time()), self._measured)

    def logs(self, query: LogQuery) -> tuple[Log, ...]:
        """Returns the logs in the order in which they were written."""
        with self._lock:
            return self._ledger.logs(query)

    def balance(self, address: Address) -> int:
        """Returns the account's wei."""
        with self._lock:
            return self._engine.balance(address)

    def nonce(self, address: Address) -> int:
        """Returns the number of the account's next transaction, behind those that wait."""
        with self._lock:
            return self._engine.nonce(address) + self._queued[address]

    def code(self, address: Address) -> bytes:
        """Returns the contract's code; nothing for a plain account."""
        with self._lock:
            return self._engine.code(address)

    def fees(self, blocks: int = 20) -> Fees:
        """Returns that gas costs nothing: this chain takes what is offered, and asks for none."""
        return Fees(0)

    def storage(self, address: Address, slot: int) -> int:
        """Returns one 32-byte word of a contract's storage as a number."""
        with self._lock:
            return self._engine.storage(address, slot)

    def block(self, number: int | Hash | None = None) -> Block:
        """Returns a block by its number or hash; None asks for the newest. NotFound where there is none."""
        with self._lock:
            return self._ledger.block(number)

    def time(self) -> int:
        """Returns the newest block's time in seconds since 1970."""
        return self.block().time

    def fund(self, address: Address, wei: int) -> None:
        """Sets an account's balance."""
        with self._lock:
            self._engine.set_balance(address, wei)
            self._past.grants.append(Grant(len(self._ledger.blocks) - 1, address, wei))

    def mine(self, blocks: int = 1, *, seconds: int = 1) -> None:
        """Makes blocks; the first takes all that waits and lies `seconds` after the newest, the others one each."""
        with self._lock:
            for gap in (seconds, *[1] * (blocks - 1)):
                time = self.time() + gap
                if self._clock:
                    self._ahead = max(self._ahead, time - int(self._clock()))
                head = self._head(time)
                waiting, self._waiting, self._queued = self._waiting, [], Counter()
                self._seal(head, self._run(waiting, head))

    def snapshot(self) -> int:
        """Returns a mark to come back to. Marks are reverted newest first; Conflict where there are too many."""
        with self._lock:
            if len(self._marks) >= MARKS:
                raise Conflict(f"marks were {MARKS} already", hint="revert some, each costs contracts one nested call")
            self._engine.mark()
            height, grants = len(self._ledger.blocks) - 1, len(self._past.grants)
            self._marks.append(_Mark(height, tuple(self._waiting), self._ahead, grants))
            return len(self._marks)

    def revert(self, mark: int) -> None:
        """Goes back to a mark and forgets it; StaleSnapshot unless it is the newest one."""
        with self._lock:
            if mark != len(self._marks) or not self._marks:
                raise StaleSnapshot(
                    f"mark was {mark!r}, the newest one is {len(self._marks) or None}", hint="revert newest first"
                )
            kept = self._marks.pop()
            self._engine.back()
            self._ledger.cut(kept.height)
            self._past.cut(kept.height, kept.grants)
            self._waiting, self._ahead = list(kept.waiting), kept.ahead
            self._queued = Counter(item.sender for item in kept.waiting)

    def _check(self, item: Transaction) -> None:
        """Raises BadCall where a node would not take a signed transaction."""
        if item.chain_id not in (None, self.chain_id):
            raise BadCall(f"chain id of the transaction was {item.chain_id}", hint=f"this chain is {self.chain_id}")
        if (nonce := self.nonce(item.sender)) != item.nonce:
            raise BadCall(f"nonce of the transaction was {item.nonce}", hint=f"the next of {item.sender} is {nonce}")
        if item.gas > GAS_LIMIT:
            raise BadCall(f"gas of the transaction was {item.gas}", hint=f"a block holds {GAS_LIMIT}")
        if item.max_fee < item.max_tip:
            raise BadCall(f"tip of the transaction was {item.max_tip} wei", hint=f"its fee is at most {item.max_fee}")
        if (balance := self.balance(item.sender)) < item.value + item.gas * item.max_fee:
            raise BadCall(
                f"balance of {item.sender} was {balance} wei",
                hint=f"value and gas may take {item.value + item.gas * item.max_fee} wei",
            )

    def _take(self, transaction: Transaction, *, refuse: bool) -> Hash:
        """Puts a transaction into a block of its own, or into the queue."""
        if not self.automine:
            self._waiting.append(transaction)
            self._queued[transaction.sender] += 1
            return transaction.hash
        head = self._head(self._next_time())
        self._engine.mark()
        try:
            result = self._engine.run(sent(transaction), head)
            if refuse and not result.succeeded:
                raise Reverted(why(result), result.output)
        except BaseException:
            self._engine.back()
            raise
        self._engine.keep()
        self._seal(head, [(transaction, result)])
        return transaction.hash

    def _run(self, transactions: Sequence[Transaction], head: Head) -> list[Done]:
        """Runs what waits; a transaction that can no longer be paid is dropped, as a node drops it."""
        done = []
        for transaction in transactions:
            with suppress(BadCall):
                done.append((transaction, self._engine.run(sent(transaction), head)))
        return done

    def _seal(self, head: Head, done: Sequence[Done]) -> None:
        block = sealed(head, self._ledger.blocks[-1].hash, done)
        self._ledger.append(block, [item for item, _ in done], receipts(block, done))

    def _played(self, number: int) -> tuple[Head, list[Message]]:
        block = self._ledger.blocks[number]
        messages = [sent(self._ledger.transactions[item]) for item in block.transactions]
        return self._head(block.time, number), messages

    def _tried(self, call: Call, head: Head, engine: Engine | None = None) -> Outcome:
        if call.code:  # run as a creation: no engine puts code somewhere in a way that can be taken back
            call = replace(call, to=None, data=call.code)
        try:
            result = (engine or self._engine).run(message(call), head)
        except BadCall as error:
            return Outcome(False, b"", 0, (), error.message)
        logs = tuple(
            Log(log.address, log.topics, log.data, head.number, NOWHERE, NOWHERE, index)
            for index, log in enumerate(result.logs)
        )
        output = result.output if result.succeeded else b""
        return Outcome(result.succeeded, output, result.gas_used, logs, why(result))

    def _head(self, time: int, number: int | None = None) -> Head:
        number = len(self._ledger.blocks) if number is None else number
        parents = (bytes.fromhex(self._ledger.blocks[place].hash[2:]) for place in range(number - 1, -1, -1))
        return Head(number, time, sha256(b"randomness" + number.to_bytes(8, "big")).digest(), parents)

    def _next_time(self) -> int:
        newest = self.time()
        return max(newest, int(self._clock()) + self._ahead) if self._clock else newest + 1


def open_engine(name: EngineName, chain_id: int) -> Engine:
    """Returns an engine by its name, py-evm where pyrevm has no wheel for this machine; BadCall for any other name."""
    if name == "pyrevm" and find_spec("pyrevm"):
        from mercato.chains.evm.revm import Revm

        return Revm(chain_id)
    if name in ("pyrevm", "py-evm"):
        from mercato.chains.evm.exact import PyEvm

        return PyEvm(chain_id)
    raise BadCall(f"engine was {name!r}", hint="known: 'pyrevm', 'py-evm'")
