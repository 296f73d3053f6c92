"""SPL tokens: what lies in mints and token accounts, and the instructions of the programs that keep them.

The classic program and Token-2022 share the first 82 bytes of a mint and 165 of an account; what Token-2022 adds
comes behind byte 165 as type, length and value (the programs' own sources, `state.rs` and `extension/mod.rs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mercato.chains.errors import BadCall
from mercato.chains.solana import base58
from mercato.chains.solana.extensions import entries
from mercato.chains.solana.messages import derived, octets, seeded
from mercato.chains.solana.model import ASSOCIATED, SYSTEM, TOKEN, TOKEN_2022, Account, Address, Instruction, Meta

PROGRAMS = frozenset({TOKEN, TOKEN_2022})
WRAPPED = Address("So11111111111111111111111111111111111111112")  # the token that SOL becomes
MINT_SIZE, ACCOUNT_SIZE, MULTISIG_SIZE = 82, 165, 355
STATES = ("uninitialized", "initialized", "frozen")
U64 = 2**64


class Right(IntEnum):
    """What SetAuthority can hand over, by its number in both programs; from CLOSE_MINT on in Token-2022 only."""

    MINT = 0
    FREEZE = 1
    OWNER = 2
    CLOSE = 3
    TRANSFER_FEE = 4
    WITHHELD = 5
    CLOSE_MINT = 6
    PERMANENT_DELEGATE = 8
    TRANSFER_HOOK = 10
    METADATA_POINTER = 12
    PAUSE = 16


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
    return Mint(int.from_bytes(data[36:44], "little"), data[44], _option(data, 0), _option(data, 46), _kinds(data))


def token_account(account: Account | None) -> TokenAccount | None:
    """Returns the token account that an account is; None where it is none, or not initialised yet."""
    data = account.data if account else b""
    if account is None or account.owner not in PROGRAMS or not _kind(data, ACCOUNT_SIZE, 2) or data[108] not in (1, 2):
        return None
    native = int.from_bytes(data[113:121], "little") if data[109] else None
    return TokenAccount(
        Address(base58.encode(data[:32])), Address(base58.encode(data[32:64])), int.from_bytes(data[64:72], "little"),
        STATES[data[108]], _option(data, 72), int.from_bytes(data[121:129], "little"), native, _option(data, 129),
        _kinds(data),
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


def create_account_with_seed(
    payer: Address, seed: str, lamports: int, size: int, owner: Address
) -> tuple[Address, Instruction]:
    """Makes an account at an address that follows from payer, seed and owner, so that it needs no key of its own.

    Returns the address, and the instruction (System program, 3); BadCall where the seed has more than 32 bytes.
    """
    made, name = seeded(payer, seed, owner), seed.encode()
    data = (
        (3).to_bytes(4, "little") + octets(payer) + len(name).to_bytes(8, "little") + name
        + _u64(lamports, "lamports") + _u64(size, "size") + octets(owner)
    )  # fmt: skip
    return made, Instruction(SYSTEM, (Meta(payer, True, True), Meta(made, writable=True)), data)


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


def approve_delegate(
    source: Address, of: Address, delegate: Address, owner: Address, amount: int, decimals: int,
    program: Address = TOKEN,
) -> Instruction:  # fmt: skip
    """Lets a delegate move base units of a token account (ApproveChecked, 13)."""
    accounts = (Meta(source, writable=True), Meta(of), Meta(delegate), Meta(owner, signer=True))
    return Instruction(program, accounts, b"\x0d" + _u64(amount, "amount") + bytes([decimals]))


def revoke_delegate(source: Address, owner: Address, program: Address = TOKEN) -> Instruction:
    """Takes the delegate of a token account away (Revoke, 5)."""
    return Instruction(program, (Meta(source, writable=True), Meta(owner, signer=True)), b"\5")


def set_authority(
    of: Address, holder: Address, right: Right, heir: Address | None = None, program: Address = TOKEN
) -> Instruction:
    """Hands a right over a mint or a token account to an heir, or to nobody for ever (SetAuthority, 6)."""
    tail = b"\1" + octets(heir) if heir else b"\0"
    return Instruction(program, (Meta(of, writable=True), Meta(holder, signer=True)), bytes([6, right]) + tail)


def burn(source: Address, of: Address, owner: Address, amount: int, program: Address = TOKEN) -> Instruction:
    """Destroys base units of a token account (Burn, 8)."""
    accounts = (Meta(source, writable=True), Meta(of, writable=True), Meta(owner, signer=True))
    return Instruction(program, accounts, b"\x08" + _u64(amount, "amount"))


def close_account(account: Address, target: Address, owner: Address, program: Address = TOKEN) -> Instruction:
    """Closes an empty token account, or a wrapping one of SOL, and pays its lamports to `target` (CloseAccount, 9)."""
    accounts = (Meta(account, writable=True), Meta(target, writable=True), Meta(owner, signer=True))
    return Instruction(program, accounts, b"\x09")


def sync_native(account: Address, program: Address = TOKEN) -> Instruction:
    """Counts the lamports that came to an account of wrapped SOL as tokens (SyncNative, 17)."""
    return Instruction(program, (Meta(account, writable=True),), b"\x11")


def freeze(account: Address, of: Address, freezer: Address, program: Address = TOKEN) -> Instruction:
    """Stops a token account from sending and getting (FreezeAccount, 10)."""
    return Instruction(program, (Meta(account, writable=True), Meta(of), Meta(freezer, signer=True)), b"\x0a")


def thaw(account: Address, of: Address, freezer: Address, program: Address = TOKEN) -> Instruction:
    """Lets a frozen token account send and get again (ThawAccount, 11)."""
    return Instruction(program, (Meta(account, writable=True), Meta(of), Meta(freezer, signer=True)), b"\x0b")


def _kind(data: bytes, size: int, kind: int) -> bool:
    """Whether data is a mint (1) or an account (2): by its length alone, or by the byte that Token-2022 adds."""
    return len(data) == size or (len(data) > ACCOUNT_SIZE and len(data) != MULTISIG_SIZE and data[ACCOUNT_SIZE] == kind)


def _option(data: bytes, place: int) -> Address | None:
    return Address(base58.encode(data[place + 4 : place + 36])) if data[place] else None


def _kinds(data: bytes) -> tuple[int, ...]:
    return tuple(kind for kind, _ in entries(data))


def _u64(value: int, what: str) -> bytes:
    if not 0 <= value < U64:
        raise BadCall(f"{what} was {value!r}", hint="expected a whole number below 2**64")
    return value.to_bytes(8, "little")
