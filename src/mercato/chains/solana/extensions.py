"""What Token-2022 adds to mints and token accounts: who else may do something to them, and what a transfer costs.

Behind byte 165 lie a byte of the account's kind and then entries of type, length and value. Types and layouts are those
of the program's source (`spl-token-2022-interface`, `extension/mod.rs` and the modules beside it); an authority of 32
zeros is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from mercato.chains.solana import base58
from mercato.chains.solana.model import TOKEN_2022, Account, Address

START = 166  # where the first entry lies
FULL_BPS = 10_000
METADATA_TEXT = 1_000  # bytes of a name, symbol or address that are looked at
_NOBODY = bytes(32)


class Extension(IntEnum):
    """The extensions that are read here, by their number."""

    TRANSFER_FEE = 1
    WITHHELD_FEE = 2
    CLOSE_AUTHORITY = 3
    DEFAULT_STATE = 6
    IMMUTABLE_OWNER = 7
    MEMO_REQUIRED = 8
    NON_TRANSFERABLE = 9
    PERMANENT_DELEGATE = 12
    TRANSFER_HOOK = 14
    METADATA_POINTER = 18
    METADATA = 19
    PAUSABLE = 26


@dataclass(frozen=True, slots=True)
class TransferFee:
    """What a transfer costs from an epoch on: basis points of the amount, rounded up, and `most` base units."""

    epoch: int
    most: int
    bps: int

    def of(self, amount: int) -> int:
        """Returns the base units that are kept back of `amount`."""
        return min(-(-amount * self.bps // FULL_BPS), self.most)


@dataclass(frozen=True, slots=True)
class FeeRule:
    """A mint's transfer fee: the one until the second's epoch, the one from then on, and who may change it."""

    authority: Address | None
    collector: Address | None
    older: TransferFee
    newer: TransferFee

    def at(self, epoch: int) -> TransferFee:
        """Returns the fee of an epoch."""
        return self.newer if epoch >= self.newer.epoch else self.older


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a mint says of itself. Text of whoever made it: it is shown, never believed or obeyed."""

    authority: Address | None
    mint: Address
    name: str
    symbol: str
    uri: str


@dataclass(frozen=True, slots=True)
class MintRules:
    """What a mint's extensions let others do; everything is off for a token of the classic program.

    `hook` is a program that runs in each transfer, `delegate` may move and burn what anybody has. `unread` are the
    numbers of extensions that are not read here.
    """

    fee: FeeRule | None = None
    closer: Address | None = None
    delegate: Address | None = None
    hook: Address | None = None
    hook_authority: Address | None = None
    pauser: Address | None = None
    paused: bool = False
    born_frozen: bool = False
    transferable: bool = True
    pointer_authority: Address | None = None
    metadata: Metadata | None = None
    unread: tuple[int, ...] = ()


def entries(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the number and the value of each extension; one that is cut off is none."""
    place = START
    while place + 4 <= len(data) and (kind := int.from_bytes(data[place : place + 2], "little")):
        end = place + 4 + int.from_bytes(data[place + 2 : place + 4], "little")
        if end > len(data):
            return
        yield kind, data[place + 4 : end]
        place = end


def rules(account: Account | None) -> MintRules:
    """Returns what the extensions of a mint say; the caller knows that the account is a mint."""
    if account is None or account.owner != TOKEN_2022:
        return MintRules()
    found = dict(entries(account.data))
    hook, pointer = found.get(Extension.TRANSFER_HOOK, b""), found.get(Extension.METADATA_POINTER, b"")
    pausable = found.get(Extension.PAUSABLE, b"")
    return MintRules(
        fee=_fee(found.get(Extension.TRANSFER_FEE, b"")),
        closer=_somebody(found.get(Extension.CLOSE_AUTHORITY, b"")),
        delegate=_somebody(found.get(Extension.PERMANENT_DELEGATE, b"")),
        hook=_somebody(hook[32:]),
        hook_authority=_somebody(hook),
        pauser=_somebody(pausable),
        paused=pausable[32:33] == b"\1",
        born_frozen=found.get(Extension.DEFAULT_STATE) == b"\2",
        transferable=Extension.NON_TRANSFERABLE not in found,
        pointer_authority=_somebody(pointer),
        metadata=_metadata(found.get(Extension.METADATA, b"")),
        unread=tuple(sorted(set(found) - set(Extension))),
    )


def wants_memo(account: Account | None) -> bool:
    """Returns whether a token account takes transfers only with a memo right before them."""
    if account is None or account.owner != TOKEN_2022:
        return False
    return dict(entries(account.data)).get(Extension.MEMO_REQUIRED) == b"\1"


def _fee(value: bytes) -> FeeRule | None:
    if len(value) != 108:
        return None
    return FeeRule(_somebody(value), _somebody(value[32:]), _transfer_fee(value[72:90]), _transfer_fee(value[90:108]))


def _transfer_fee(value: bytes) -> TransferFee:
    epoch, most, bps = (int.from_bytes(value[start:end], "little") for start, end in ((0, 8), (8, 16), (16, 18)))
    return TransferFee(epoch, most, bps)


def _somebody(value: bytes) -> Address | None:
    key = value[:32]
    return Address(base58.encode(key)) if len(key) == 32 and key != _NOBODY else None


def _metadata(value: bytes) -> Metadata | None:
    if len(value) < 76:
        return None
    texts, place = [], 64
    for _ in range(3):
        length = int.from_bytes(value[place : place + 4], "little")
        text = value[place + 4 : place + 4 + length]
        texts.append(text[:METADATA_TEXT].decode("utf-8", "replace"))
        place += 4 + length
    return Metadata(_somebody(value), Address(base58.encode(value[32:64])), *texts)
