"""The embedded cluster's memory: blocks by slot and hash, and what became of every transaction."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from mercato.chains.solana.machine import Result
from mercato.chains.solana.model import Address, Block, Blockhash, Receipt, Signature
from mercato.chains.solana.tokens import TokenAccount
from mercato.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Holding:
    """A token account that a transaction named, at a place in its list of accounts."""

    place: int
    account: TokenAccount
    decimals: int
    program: Address


@dataclass(frozen=True, slots=True)
class Record:
    """A transaction in a block, with all that nodes tell of it. The last `loaded` accounts came from lookup tables."""

    transaction: bytes
    receipt: Receipt
    result: Result
    loaded: tuple[tuple[Address, ...], tuple[Address, ...]]
    tokens_before: tuple[Holding, ...]
    tokens_after: tuple[Holding, ...]
    changed: frozenset[Address]


class Ledger:
    """Grows by whole blocks and is cut back by whole blocks."""

    def __init__(self, genesis: Block) -> None:
        self.blocks = [genesis]
        self.records: dict[Signature, Record] = {}
        self._heights = {genesis.hash: 0}
        self._by_address: dict[Address, list[Signature]] = {}

    @property
    def newest(self) -> Block:
        """Returns the newest block."""
        return self.blocks[-1]

    def append(self, block: Block, records: Sequence[Record]) -> None:
        """Adds the next block."""
        self.blocks.append(block)
        self._heights[block.hash] = block.height
        for record in records:
            signature = record.receipt.signature
            self.records[signature] = record
            for address in dict.fromkeys(record.receipt.accounts):
                self._by_address.setdefault(address, []).append(signature)

    def cut(self, height: int) -> None:
        """Forgets every block above a height."""
        while len(self.blocks) > height + 1:
            block = self.blocks.pop()
            del self._heights[block.hash]
            for signature in reversed(block.transactions):
                for address in dict.fromkeys(self.records.pop(signature).receipt.accounts):
                    self._by_address[address].pop()

    def height(self, blockhash: str) -> int | None:
        """Returns the height of the block that has a hash; None where none has."""
        return self._heights.get(Blockhash(blockhash))

    def at(self, slot: int) -> Block | None:
        """Returns the block of a slot; None where it was skipped or has not come."""
        place = bisect_right(self.blocks, slot, key=lambda block: block.slot) - 1
        found = self.blocks[place] if place >= 0 else None
        return found if found and found.slot == slot else None

    def block(self, slot: int | None) -> Block:
        """Returns the block of a slot, the newest for None; NotFound where there is none."""
        found = self.newest if slot is None else self.at(slot)
        if found is None:
            last = self.newest.slot
            raise NotFound(f"slot was {slot!r}", hint="it was skipped" if 0 <= slot < last else f"the newest is {last}")  # type: ignore[operator]  # a slot of None is the newest
        return found

    def between(self, first: int, last: int) -> list[Block]:
        """Returns the blocks of slots from `first` to `last`, both included."""
        begin = bisect_right(self.blocks, first - 1, key=lambda block: block.slot)
        return self.blocks[begin : bisect_right(self.blocks, last, key=lambda block: block.slot)]

    def history(self, address: Address) -> Sequence[Signature]:
        """Returns the transactions that named an address, oldest first."""
        return self._by_address.get(address, [])
