"""What lies at an address, as far as it matters to owners: whose it is, what it holds, who has which say over it.

Whatever a transaction can change is among the accounts that it names as writable, so nothing of it is out of sight.
Layouts are those that the decoders of `chains.solana` read; of any other program's account only the owner is known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mercato.chains.solana import base58
from mercato.chains.solana.budget import BUDGET
from mercato.chains.solana.extensions import Extension, entries, rules
from mercato.chains.solana.lookup import LOOKUP, lookup_table
from mercato.chains.solana.model import ASSOCIATED, MEMO, SYSTEM, TOKEN, TOKEN_2022, Account, Address
from mercato.chains.solana.stake import STAKE, stake_account
from mercato.chains.solana.tokens import Mint, TokenAccount, mint, token_account
from mercato.kit.model import Power

#: Programs whose every effect is read here, so that naming them would tell nothing.
READ = frozenset({SYSTEM, BUDGET, TOKEN, TOKEN_2022, ASSOCIATED, MEMO, STAKE, LOOKUP})
LOADER = Address("BPFLoaderUpgradeab1e11111111111111111111111")
NONCE_SIZE = 80
CPI_GUARD, HOOK_ACCOUNT, NON_TRANSFERABLE_ACCOUNT, PAUSABLE_ACCOUNT = 11, 15, 13, 27
#: Entries of a token account that take nothing from its owner when they change.
HARMLESS = frozenset(
    {Extension.WITHHELD_FEE, Extension.IMMUTABLE_OWNER, Extension.MEMO_REQUIRED, HOOK_ACCOUNT,
     NON_TRANSFERABLE_ACCOUNT, PAUSABLE_ACCOUNT}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """An account. `who` may take what it holds; `says` are further powers over it, by their holder.

    Mints, tables and programs are nobody's, but `closer` may take their lamports: who may mint, close or upgrade them.
    `lamports` are those that are not wrapped, `units` of `mint` and `withheld` of its transfer fee what a token account
    holds, `supply` is a mint's. `rest` is what nothing here reads: where `blind`, all of it.
    """

    there: bool
    who: Address
    lamports: int = 0
    mint: Address | None = None
    units: int = 0
    withheld: int = 0
    supply: int = 0
    frozen: bool = False
    allowed: tuple[Address, int] | None = None
    says: Mapping[str, tuple[Power, Address]] = field(default_factory=dict)
    rest: bytes = b""
    blind: bool = False
    program: Address = SYSTEM
    closer: Address | None = None
    voter: Address | None = None

    def purse(self, before: Seen | None = None) -> Address:
        """Returns who may take the lamports; of a mint that nobody has a say over, who might `before`."""
        return self.closer or (before.purse() if before and before.closer else self.who)


def seen(address: Address, account: Account | None, called: Collection[Address]) -> Seen:
    """Returns what lies at an address; `called` are programs that own what they keep, and are named instead of it."""
    if account is None:
        return Seen(False, address)
    if held := token_account(account):
        return _token(account, held)
    if account.owner == STAKE and (stake := stake_account(account)):
        says = {"staker": (Power.STAKE, stake.staker)}
        voter = stake.delegation.voter if stake.delegation and stake.delegation.deactivated is None else None
        rest = account.data[76:124]  # the lock
        return Seen(True, stake.withdrawer, account.lamports, says=says, rest=rest, program=STAKE, voter=voter)
    if account.owner in (TOKEN, TOKEN_2022) and (found := mint(account)):
        return _mint(address, account, found)
    if account.owner == SYSTEM:
        return _system(address, account)
    if account.owner == LOOKUP and (table := lookup_table(account)):
        says = {"table": (Power.OWNER, table.authority)} if table.authority else {}
        return Seen(True, address, account.lamports, says=says, program=LOOKUP, closer=table.authority)
    if account.owner == LOADER and (says := _loader(account.data)):
        return Seen(True, address, account.lamports, says=says, program=LOADER, closer=says["upgrade"][1])
    who = account.owner if account.owner in called and account.owner not in READ else address
    return Seen(True, who, account.lamports, rest=account.data, blind=True, program=account.owner)


def _token(account: Account, held: TokenAccount) -> Seen:
    found = dict(entries(account.data)) if account.owner == TOKEN_2022 else {}
    rest = {kind: value for kind, value in found.items() if kind not in HARMLESS}
    if rest.get(CPI_GUARD) == b"\0":
        del rest[CPI_GUARD]
    return Seen(
        True,
        held.owner,
        account.lamports - (held.amount if held.native is not None else 0),
        held.mint,
        held.amount,
        int.from_bytes(found.get(Extension.WITHHELD_FEE, b""), "little"),
        frozen=held.state == "frozen",
        allowed=(held.delegate, held.delegated) if held.delegate else None,
        says={"closer": (Power.CLOSE, held.closer)} if held.closer else {},
        rest=b"".join(kind.to_bytes(2, "little") + value for kind, value in sorted(rest.items())),
        program=account.owner,
    )


def _mint(address: Address, account: Account, found: Mint) -> Seen:
    more = rules(account)
    fee, told = more.fee, more.metadata
    said = {
        "mint": (Power.MINT, found.authority), "freeze": (Power.FREEZE, found.freezer),
        "close": (Power.CLOSE, more.closer), "permanent delegate": (Power.DELEGATE, more.delegate),
        "hook": (Power.CODE, more.hook), "hook authority": (Power.CODE, more.hook_authority),
        "pause": (Power.FREEZE, more.pauser), "fee": (Power.OWNER, fee.authority if fee else None),
        "fees kept": (Power.OWNER, fee.collector if fee else None),
        "metadata": (Power.OWNER, told.authority if told else None),
        "metadata pointer": (Power.OWNER, more.pointer_authority),
    }  # fmt: skip
    says = {what: (power, holder) for what, (power, holder) in said.items() if holder}
    unread = (value for kind, value in entries(account.data) if kind in more.unread) if more.unread else ()
    return Seen(
        True,
        address,
        account.lamports,
        supply=found.supply,
        says=says,
        rest=b"".join(unread),
        program=account.owner,
        closer=more.closer or found.authority,
    )


def _system(address: Address, account: Account) -> Seen:
    data = account.data
    if len(data) == NONCE_SIZE and data[4:8] == b"\1\0\0\0":  # a durable nonce: its authority may withdraw
        return Seen(True, Address(base58.encode(data[8:40])), account.lamports)
    return Seen(True, address, account.lamports, rest=data)


def _loader(data: bytes) -> dict[str, tuple[Power, Address]]:
    """Returns who may change a program (its data, kind 3) or what is to become one (a buffer, kind 1)."""
    kind = int.from_bytes(data[:4], "little")
    place = {1: 4, 3: 12}.get(kind)
    if place is None or len(data) < place + 33 or data[place] != 1:
        return {}
    return {"upgrade": (Power.CODE, Address(base58.encode(data[place + 1 : place + 33])))}
