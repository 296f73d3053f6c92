"""SPL tokens: what lies in mints and token accounts, and the instructions of the programs that keep them.

The classic program and Token-2022 share the first 82 bytes of a mint and 165 of an account; what Token-2022 adds
comes behind byte 165 as type, length and value (the programs' own sources, `state.rs` and `extension/mod.rs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mercato.chains.errors import BadCall
from mercato.chains.solana import base58
from mercato.chains.solana.messages import derived, octets
from mercato.chains.solana.model import ASSOCIATED, SYSTEM, TOKEN, TOKEN_2022, Account, Address, Instruction, Meta

PROGRAMS = frozenset({TOKEN, TOKEN_2022})
MINT_SIZE, ACCOUNT_SIZE, MULTISIG_SIZE = 82, 165, 355
STATES = ("uninitialized", "initialized", "frozen")
U64 = 2**64


@dataclass(frozen=True, slots=True)
class Mint:
    """A token: its supply in base units, its decimals, and who may make more of it or freeze accounts."""

    supply: int
    decimals: int
    authority: Address | None
    freezer: Address | None
    extensions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """What one owner has of one token. `delegate` may move `delegated` base units; `native` is for wrapped SOL."""

    mint: Address
    owner: Address
    amount: int
    state: str
    delegate: Address | None
    delegated: int
    native: int | None
    closer: Address | None
    extensions: tuple[int, ...] = ()


def mint(account: Account | None) -> Mint | None:
    """Returns the mint that an account is; None where it is none."""
    data = account.data if account else b""
    if account is None or account.owner not in PROGRAMS or not _kind(data, MINT_SIZE, 1) or data[45] != 1:
        return None
    return Mint(
        int.from_bytes(data[36:44], "little"), data[44], _option(data, 0), _option(data, 46), tuple(_types(data))
    )


def token_account(account: Account | None) -> TokenAccount | None:
    """Returns the token account that an account is; None where it is none, or not initialised yet."""
    data = account.data if account else b""
    if account is None or account.owner not in PROGRAMS or not _kind(data, ACCOUNT_SIZE, 2) or data[108] not in (1, 2):
        return None
    native = int.from_bytes(data[113:121], "little") if data[109] else None
    return TokenAccount(
        Address(base58.encode(data[:32])), Address(base58.encode(data[32:64])), int.from_bytes(data[64:72], "little"),
        STATES[data[108]], _option(data, 72), int.from_bytes(data[121:129], "little"), native, _option(data, 129),
        tuple(_types(data)),
    )  # fmt: skip


def associated(owner: Address, of: Address, program: Address = TOKEN) -> Address:
    """Returns where an owner keeps a token by convention."""
    return derived(ASSOCIATED, octets(owner), octets(program), octets(of))


def transfer_lamports(source: Address, target: Address, lamports: int) -> Instruction:
    """Moves lamports (System program, 2)."""
    accounts = (Meta(source, True, True), Meta(target, writable=True))
    return Instruction(SYSTEM, accounts, (2).to_bytes(4, "little") + _u64(lamports, "lamports"))


def create_account(payer: Address, made: Address, lamports: int, size: int, owner: Address) -> Instruction:
    """Makes an account with so many bytes of zeros, which `owner` owns (System program, 0). Both sign."""
    data = bytes(4) + _u64(lamports, "lamports") + _u64(size, "size") + octets(owner)
    return Instruction(SYSTEM, (Meta(payer, True, True), Meta(made, True, True)), data)


def create_mint(
    made: Address, decimals: int, authority: Address, freezer: Address | None = None, program: Address = TOKEN
) -> Instruction:
    """Makes a token of an account that `create_account` has made with MINT_SIZE bytes (InitializeMint2, 20)."""
    tail = b"\1" + octets(freezer) if freezer else b"\0"
    return Instruction(program, (Meta(made, writable=True),), bytes([20, decimals]) + octets(authority) + tail)


def create_associated(payer: Address, owner: Address, of: Address, program: Address = TOKEN) -> Instruction:
    """Makes an owner's associated account, where it is not there yet (CreateIdempotent, 1)."""
    accounts = (
        Meta(payer, True, True), Meta(associated(owner, of, program), writable=True), Meta(owner), Meta(of),
        Meta(SYSTEM), Meta(program),
    )  # fmt: skip
    return Instruction(ASSOCIATED, accounts, b"\1")


def mint_to(of: Address, target: Address, authority: Address, amount: int, program: Address = TOKEN) -> Instruction:
    """Makes more of a token, `amount` in its base units (MintTo, 7)."""
    accounts = (Meta(of, writable=True), Meta(target, writable=True), Meta(authority, signer=True))
    return Instruction(program, accounts, b"\7" + _u64(amount, "amount"))


def transfer_tokens(
    source: Address, target: Address, of: Address, owner: Address, amount: int, decimals: int, program: Address = TOKEN
) -> Instruction:
    """Moves base units between token accounts; the program checks the token and its decimals (TransferChecked, 12)."""
    accounts = (Meta(source, writable=True), Meta(of), Meta(target, writable=True), Meta(owner, signer=True))
    return Instruction(program, accounts, b"\x0c" + _u64(amount, "amount") + bytes([decimals]))


def _kind(data: bytes, size: int, kind: int) -> bool:
    """Whether data is a mint (1) or an account (2): by its length alone, or by the byte that Token-2022 adds."""
    return len(data) == size or (len(data) > ACCOUNT_SIZE and len(data) != MULTISIG_SIZE and data[ACCOUNT_SIZE] == kind)


def _option(data: bytes, place: int) -> Address | None:
    return Address(base58.encode(data[place + 4 : place + 36])) if data[place] else None


def _types(data: bytes) -> Iterator[int]:
    """Yields the numbers of the extensions that lie behind the account type."""
    place = ACCOUNT_SIZE + 1
    while place + 4 <= len(data) and (kind := int.from_bytes(data[place : place + 2], "little")):
        yield kind
        place += 4 + int.from_bytes(data[place + 2 : place + 4], "little")


def _u64(value: int, what: str) -> bytes:
    if not 0 <= value < U64:
        raise BadCall(f"{what} was {value!r}", hint="expected a whole number below 2**64")
    return value.to_bytes(8, "little")
