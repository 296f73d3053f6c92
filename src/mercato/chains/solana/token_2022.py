"""Instructions that only Token-2022 has: mints with extensions, metadata in the mint, transfers with a fee.

Numbers and layouts are those of `spl-token-2022-interface` (`instruction.rs`, `extension/*/instruction.rs`) and of
`spl-token-metadata-interface`. A mint is made in this order: the account, its extensions, the mint, the metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from mercato.chains.errors import BadCall
from mercato.chains.solana.extensions import START, Extension
from mercato.chains.solana.messages import octets
from mercato.chains.solana.model import SYSTEM, TOKEN_2022, Address, Instruction, Meta

_NOBODY = bytes(32)
_VALUES = {  # bytes of the values that a mint's extensions have
    Extension.TRANSFER_FEE: 108, Extension.CLOSE_AUTHORITY: 32, Extension.DEFAULT_STATE: 1,
    Extension.NON_TRANSFERABLE: 0, Extension.PERMANENT_DELEGATE: 32, Extension.TRANSFER_HOOK: 64,
    Extension.METADATA_POINTER: 64, Extension.PAUSABLE: 33,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a new mint says of itself."""

    name: str
    symbol: str
    uri: str = ""

    @property
    def size(self) -> int:
        """Returns the bytes that it takes in the mint."""
        return 4 + 64 + 4 + sum(4 + len(text.encode()) for text in (self.name, self.symbol, self.uri))


def mint_size(kinds: Sequence[Extension]) -> int:
    """Returns the bytes of a mint with these extensions, before its metadata is written."""
    return START + sum(4 + _VALUES[kind] for kind in kinds)


def point_at_metadata(mint: Address, authority: Address | None, at: Address) -> Instruction:
    """Says where a mint's metadata lie (MetadataPointer 39, Initialize 0); `authority` may change it."""
    return _on_mint(mint, bytes([39, 0]) + _maybe(authority) + octets(at))


def charge_fee(
    mint: Address, bps: int, most: int, authority: Address | None, collector: Address | None
) -> Instruction:  # fmt: skip
    """Keeps part of each transfer back (TransferFeeExtension 26, InitializeTransferFeeConfig 0)."""
    if not 0 <= bps <= 10_000:
        raise BadCall(f"bps was {bps!r}", hint="at most 10000")
    head = bytes([26, 0]) + _option(authority) + _option(collector)
    return _on_mint(mint, head + bps.to_bytes(2, "little") + _u64(most))


def change_fee(mint: Address, authority: Address, bps: int, most: int) -> Instruction:
    """Changes what transfers cost from the epoch after the next on (TransferFeeExtension 26, SetTransferFee 5)."""
    accounts = (Meta(mint, writable=True), Meta(authority, signer=True))
    return Instruction(TOKEN_2022, accounts, bytes([26, 5]) + bps.to_bytes(2, "little") + _u64(most))


def give_delegate(mint: Address, delegate: Address) -> Instruction:
    """Lets somebody move and burn what anybody has of a token (InitializePermanentDelegate, 35)."""
    return _on_mint(mint, bytes([35]) + octets(delegate))


def hook_transfers(mint: Address, authority: Address | None, program: Address | None) -> Instruction:
    """Has a program run in each transfer (TransferHookExtension 36, Initialize 0)."""
    return _on_mint(mint, bytes([36, 0]) + _maybe(authority) + _maybe(program))


def begin_frozen(mint: Address) -> Instruction:
    """Makes new accounts of a token begin frozen (DefaultAccountState 28, Initialize 0, state 2)."""
    return _on_mint(mint, bytes([28, 0, 2]))


def bind_to_holder(mint: Address) -> Instruction:
    """Makes a token that nobody can send (InitializeNonTransferableMint, 32)."""
    return _on_mint(mint, bytes([32]))


def allow_closing(mint: Address, authority: Address) -> Instruction:
    """Lets somebody close a mint of which nothing is left (InitializeMintCloseAuthority, 25)."""
    return _on_mint(mint, bytes([25]) + _option(authority))


def allow_pausing(mint: Address, authority: Address) -> Instruction:
    """Lets somebody stop all transfers of a token (PausableExtension 44, Initialize 0)."""
    return _on_mint(mint, bytes([44, 0]) + octets(authority))


def write_metadata(mint: Address, authority: Address, minter: Address, says: Metadata) -> Instruction:
    """Writes metadata into a mint whose pointer names itself; `minter` signs, `authority` may change them later."""
    accounts = (Meta(mint, writable=True), Meta(authority), Meta(mint), Meta(minter, signer=True))
    texts = b"".join(_text(item) for item in (says.name, says.symbol, says.uri))
    return Instruction(TOKEN_2022, accounts, _discriminator("initialize_account") + texts)


def hand_over_metadata(mint: Address, authority: Address, heir: Address | None = None) -> Instruction:
    """Hands the right to change a mint's metadata to an heir, or to nobody for ever."""
    accounts = (Meta(mint, writable=True), Meta(authority, signer=True))
    return Instruction(TOKEN_2022, accounts, _discriminator("update_the_authority") + _maybe(heir))


def transfer_with_fee(
    source: Address, target: Address, of: Address, owner: Address, amount: int, decimals: int, fee: int
) -> Instruction:
    """Moves base units of which `fee` are kept back; refused where it is another (TransferCheckedWithFee, 26, 1)."""
    accounts = (Meta(source, writable=True), Meta(of), Meta(target, writable=True), Meta(owner, signer=True))
    return Instruction(TOKEN_2022, accounts, bytes([26, 1]) + _u64(amount) + bytes([decimals]) + _u64(fee))


def demand_memos(account: Address, owner: Address, payer: Address) -> tuple[Instruction, Instruction]:
    """Makes a token account take transfers with a memo only: room (Reallocate, 29), then MemoTransfer (30, 0)."""
    room = (Meta(account, writable=True), Meta(payer, True, True), Meta(SYSTEM), Meta(owner, signer=True))
    return (
        Instruction(TOKEN_2022, room, bytes([29]) + Extension.MEMO_REQUIRED.to_bytes(2, "little")),
        Instruction(TOKEN_2022, (Meta(account, writable=True), Meta(owner, signer=True)), bytes([30, 0])),
    )


def _on_mint(mint: Address, data: bytes) -> Instruction:
    return Instruction(TOKEN_2022, (Meta(mint, writable=True),), data)


def _discriminator(name: str) -> bytes:
    return sha256(f"spl_token_metadata_interface:{name}".encode()).digest()[:8]


def _text(value: str) -> bytes:
    octets = value.encode()
    return len(octets).to_bytes(4, "little") + octets


def _maybe(address: Address | None) -> bytes:
    return octets(address) if address else _NOBODY


def _option(address: Address | None) -> bytes:
    return b"\1" + octets(address) if address else b"\0"


def _u64(value: int) -> bytes:
    if not 0 <= value < 2**64:
        raise BadCall(f"units were {value!r}", hint="expected a whole number below 2**64")
    return value.to_bytes(8, "little")
