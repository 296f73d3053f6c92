"""py-evm's account database with its lowest layer, a trie on disk, replaced by another chain's state.

Imports py-evm, which takes a second: only `measured` imports this, when it is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import rlp
from eth.abc import AtomicDatabaseAPI
from eth.constants import EMPTY_SHA3
from eth.db.account import AccountDB
from eth.db.backends.base import BaseDB
from eth.db.backends.memory import MemoryDB
from eth.db.journal import JournalDB
from eth.rlp.accounts import Account
from eth_typing import Address as EthAddress
from eth_typing import Hash32

from mercato.chains.addresses import keccak
from mercato.chains.model import Address


class State(Protocol):
    """What a chain knows of its accounts."""

    def balance(self, address: Address) -> int:
        """Returns an account's wei."""

    def nonce(self, address: Address) -> int:
        """Returns the number of its next transaction."""

    def code(self, address: Address) -> bytes:
        """Returns a contract's code."""

    def storage(self, address: Address, slot: int) -> int:
        """Returns one word of a contract's storage."""


class Source(BaseDB):
    """A database that only answers."""

    def __init__(self, load: Callable[[bytes], bytes | None]) -> None:
        self._load = load

    def __getitem__(self, key: bytes) -> bytes:
        value = self._load(key)
        if value is None:
            raise KeyError(key)
        return value

    def _exists(self, key: bytes) -> bool:
        return self._load(key) is not None

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("borrowed state was written to; journals above it must hold what is new")

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("borrowed state was deleted from; journals above it must hold what is new")


class Borrowed(AccountDB):
    """Accounts of another chain, each read when it is first asked for."""

    def __init__(self, db: AtomicDatabaseAPI, state_root: Hash32, source: State) -> None:
        super().__init__(db, state_root)
        self._source, self._codes = source, MemoryDB()
        cache: Any = Source(self._account)  # which py-evm takes for its own kind of cache
        self._trie_cache, self._journaltrie = cache, JournalDB(cache)
        self._journaldb = JournalDB(self._codes)

    def _account(self, key: bytes) -> bytes | None:
        address = Address("0x" + key.hex())
        nonce, balance = self._source.nonce(address), self._source.balance(address)
        code = self._source.code(address)
        if not (nonce or balance or code):
            return None
        digest = keccak(code) if code else EMPTY_SHA3
        self._codes[digest] = code
        found: bytes = rlp.encode(Account(nonce=nonce, balance=balance, code_hash=digest), sedes=Account)
        return found

    def _get_address_store(self, address: EthAddress) -> Any:
        fresh = address not in self._account_stores
        store: Any = super()._get_address_store(address)
        if fresh:
            store._locked_changes = JournalDB(Source(partial(self._slot, address)))
            store._journal_storage = JournalDB(store._locked_changes)
        return store

    def _slot(self, account: bytes, key: bytes) -> bytes | None:
        value = self._source.storage(Address("0x" + account.hex()), int.from_bytes(key, "big"))
        return rlp.encode(value) if value else None
