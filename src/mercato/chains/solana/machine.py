"""LiteSVM as the embedded cluster needs it: one transaction at a time, its clock set by hand, changes taken back.

Signatures, blockhashes and repeated transactions are checked above, since LiteSVM knows one valid blockhash only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from mercato.chains.solana.messages import own_accounts, pubkey
from mercato.chains.solana.model import SYSTEM, Account, Address, Block, Blockhash

if TYPE_CHECKING:
    from solders.account import Account as Kept
    from solders.hash import Hash
    from solders.pubkey import Pubkey
    from solders.transaction import VersionedTransaction
    from solders.transaction_metadata import TransactionMetadata

SLOT_HASHES = 512  # that programs may read (SlotHashes sysvar)
NONCE_SIZE, NONCE_AT = 80, 40  # bytes of a nonce account, and where its nonce lies


@dataclass(frozen=True, slots=True)
class Inner:
    """An instruction that a program called: places of accounts in the transaction's list, and how deep it was."""

    program: int
    accounts: tuple[int, ...]
    data: bytes
    depth: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a transaction did, or would do. One that was not `taken` is in no block, and cost nothing."""

    taken: bool
    error: object
    fee: int
    units: int
    logs: tuple[str, ...]
    returned: bytes
    returner: Address
    inner: tuple[tuple[Inner, ...], ...]
    changed: dict[Address, Account]


class Machine:
    """State of accounts, and the programs that mainnet has. Not safe for threads."""

    def __init__(self) -> None:
        from solders.epoch_schedule import EpochSchedule
        from solders.litesvm import LiteSVM

        svm = LiteSVM().with_mainnet_features().with_sigverify(False)
        self._svm = svm.with_blockhash_check(False).with_transaction_history(0)
        self._epochs = EpochSchedule.without_warmup()
        self._svm.set_epoch_schedule(self._epochs)
        # Programs are run as machine code that leaves MMX registers in use. The next x87 instruction of the same thread
        # then gives NaN: DuckDB read 2^63 where a sum should have begun. A thread of their own keeps that to itself.
        self._apart = ThreadPoolExecutor(1, thread_name_prefix="litesvm")
        self._undo: list[tuple[Pubkey, Kept | None]] = []
        self._hashes: list[tuple[int, Hash]] = []
        self._newest: Blockhash | None = None
        self.marks = 0

    def open(self, slot: int, time: int) -> None:
        """Sets the clock that programs read."""
        from solders.clock import Clock

        epoch = self._epochs.get_epoch(slot)
        before = self._svm.get_clock()
        begun = before.epoch_start_timestamp if epoch == before.epoch and before.unix_timestamp else time
        self._svm.set_clock(Clock(slot, begun, epoch, self._epochs.get_leader_schedule_epoch(slot), time))

    def close(self) -> Blockhash:
        """Ends a block and returns its hash, which was never one before."""
        self._svm.expire_blockhash()
        return Blockhash(str(self._svm.latest_blockhash()))

    def remember(self, newest: Sequence[Block]) -> None:
        """Sets the blocks that programs may know of, newest first."""
        first = newest[0]
        if len(newest) > 1 and newest[1].hash == self._newest:  # one more than last time
            self._hashes = [(first.slot, _hash(first.hash)), *self._hashes[: SLOT_HASHES - 1]]
        else:
            self._hashes = [(block.slot, _hash(block.hash)) for block in newest[:SLOT_HASHES]]
        self._newest = first.hash
        self._svm.set_slot_hashes(self._hashes)

    def run(self, transaction: VersionedTransaction) -> Result:
        """Runs a transaction and keeps what it did."""
        from solders.transaction_metadata import FailedTransactionMetadata

        if self.marks:
            self._keep([address for address, writable in self.named(transaction) if writable])
        done = self._apart.submit(self._svm.send_transaction, transaction).result()
        failed = isinstance(done, FailedTransactionMetadata)
        meta = done.meta() if isinstance(done, FailedTransactionMetadata) else done
        return _result(meta, json.loads(done.to_json())["err"] if failed else None, transaction, {})

    def peek(self, transaction: VersionedTransaction) -> Result:
        """Returns what a transaction would do, and keeps nothing."""
        from solders.transaction_metadata import FailedTransactionMetadata

        done = self._apart.submit(self._svm.simulate_transaction, transaction).result()
        if isinstance(done, FailedTransactionMetadata):
            return _result(done.meta(), json.loads(done.to_json())["err"], transaction, {})
        changed = {Address(str(key)): _account(account) for key, account in done.post_accounts()}
        return _result(done.meta(), None, transaction, changed)

    def named(self, transaction: VersionedTransaction) -> list[tuple[Address, bool]]:
        """Returns the accounts that a transaction names and whether it may change each, lookup tables' last.

        A table that is not there, or too short, gives none: such a transaction is refused when it runs.
        """
        own = [(meta.address, meta.writable) for meta in own_accounts(transaction.message)]
        loaded = list(self._loaded(transaction))
        return own + [one for one in loaded if one[1]] + [one for one in loaded if not one[1]]

    def account(self, address: Address) -> Account | None:
        """Returns what lies at an address."""
        found = self._svm.get_account(pubkey(address))
        return None if found is None or not found.lamports else _account(found)

    def put(self, address: Address, account: Account) -> None:
        """Sets an account; one without lamports is none."""
        from solders.account import Account as Kept

        if self.marks:
            self._keep([address])
        owner = pubkey(account.owner)
        self._svm.set_account(pubkey(address), Kept(account.lamports, account.data, owner, account.executable))

    def advance(self, nonce: Address) -> None:
        """Gives a nonce account the next nonce, as a node does where the transaction failed that used the last one.

        It follows from the newest blockhash (Agave, `nonce/src/state.rs`).
        """
        account = self.account(nonce)
        if account is not None and account.owner == SYSTEM and len(account.data) == NONCE_SIZE:
            following = sha256(b"DURABLE_NONCE" + bytes(self._svm.latest_blockhash())).digest()
            data = account.data[:NONCE_AT] + following + account.data[NONCE_AT + 32 :]
            self.put(nonce, replace(account, data=data))

    def owned(self, program: Address) -> dict[Address, Account]:
        """Returns the accounts that a program owns."""
        found = self._svm.get_program_accounts(pubkey(program))
        return {Address(str(key)): _account(account) for key, account in found if account.lamports}

    def rent(self, size: int) -> int:
        """Returns the lamports that an account with so many bytes must hold."""
        return self._svm.minimum_balance_for_rent_exemption(size)

    def epoch(self, slot: int) -> tuple[int, int]:
        """Returns a slot's epoch, and its place in it."""
        epoch, place = self._epochs.get_epoch_and_slot_index(slot)
        return epoch, place

    @property
    def epoch_slots(self) -> int:
        """Returns the slots of one epoch."""
        return self._epochs.slots_per_epoch

    @property
    def depth(self) -> int:
        """Returns how many changes could be taken back."""
        return len(self._undo)

    def back(self, depth: int) -> None:
        """Takes back every change since there were `depth` of them."""
        from solders.account import Account as Kept

        nothing = Kept(0, b"", pubkey(SYSTEM))
        while len(self._undo) > depth:
            key, before = self._undo.pop()
            self._svm.set_account(key, before or nothing)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Takes back in the end what happens within."""
        depth = self.depth
        self.marks += 1
        try:
            yield
        finally:
            self.back(depth)
            self.marks -= 1

    def _keep(self, addresses: Sequence[Address]) -> None:
        for key in map(pubkey, addresses):
            self._undo.append((key, self._svm.get_account(key)))

    def _loaded(self, transaction: VersionedTransaction) -> Iterator[tuple[Address, bool]]:
        from solders.address_lookup_table_account import AddressLookupTable

        for lookup in getattr(transaction.message, "address_table_lookups", ()):
            table = self._svm.get_account(lookup.account_key)
            addresses = AddressLookupTable.deserialize(table.data).addresses if table and len(table.data) > 56 else []
            for places, writable in ((lookup.writable_indexes, True), (lookup.readonly_indexes, False)):
                yield from ((Address(str(addresses[p])), writable) for p in bytes(places) if p < len(addresses))


@lru_cache(maxsize=2 * SLOT_HASHES)
def _hash(text: Blockhash) -> Hash:
    from solders.hash import Hash

    return Hash.from_string(text)


def _account(found: Kept) -> Account:
    return Account(found.lamports, Address(str(found.owner)), bytes(found.data), found.executable)


def _result(
    meta: TransactionMetadata, error: object, transaction: VersionedTransaction, changed: dict[Address, Account]
) -> Result:
    inner = tuple(
        tuple(
            Inner(found.program_id_index, tuple(bytes(found.accounts)), bytes(found.data), one.stack_height())
            for one in group
            for found in [one.instruction()]
        )
        for group in meta.inner_instructions()
    )
    returned = meta.return_data()
    return Result(
        meta.signature() == transaction.signatures[0], error, meta.fee(), meta.compute_units_consumed(),
        tuple(meta.logs()), bytes(returned.data), Address(str(returned.program_id)), inner, changed,
    )  # fmt: skip
