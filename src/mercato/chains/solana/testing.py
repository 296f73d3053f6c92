"""Doubles for tests and examples: an embedded cluster with rich accounts whose keys everybody knows.

`Interrupted` is another cluster with something happening before each of its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256

from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import START, LocalCluster
from mercato.chains.solana.messages import compile_message, octets, sign
from mercato.chains.solana.model import (
    SOL,
    TOKEN,
    Account,
    Address,
    Block,
    Cluster,
    Instruction,
    Lifetime,
    Meta,
    Outcome,
    Receipt,
    Signature,
)  # fmt: skip
from mercato.chains.solana.stake import CLOCK, RENT, VOTE
from mercato.chains.solana.tokens import MINT_SIZE, associated, create_account, create_associated, create_mint, mint_to
from mercato.core import chain as names

WEALTH = 10_000 * SOL  # lamports of each account
VOTE_SIZE = 3762  # bytes of a vote account
#: Seeds of the keys. They are public: money sent to them on a real cluster is lost.
SEEDS = tuple(sha256(f"mercato simulated account {number}".encode()).digest() for number in range(10))


@cache
def keys() -> tuple[SolanaKey, ...]:
    """Returns the keys of the rich accounts."""
    return tuple(SolanaKey(seed) for seed in SEEDS)


def local(*, automine: bool = True, start: int = START) -> LocalCluster:
    """Returns an embedded cluster on which the account of each of `keys()` has 10,000 SOL."""
    cluster = LocalCluster(start=start, automine=automine)
    for key in keys():
        cluster.fund(key.address, WEALTH)
    return cluster


def signed(cluster: Cluster, instructions: Sequence[Instruction], *signers: SolanaKey) -> bytes:
    """Returns a transaction of instructions, good on a cluster now; the first of `signers` pays for it."""
    message = compile_message(signers[0].address, instructions, cluster.lifetime().blockhash)
    return sign(message, signers)


def issue(cluster: Cluster, key: SolanaKey, amount: int, decimals: int = 6, program: Address = TOKEN) -> Address:
    """Makes a token of which `key` has `amount` base units and may make more; returns its mint."""
    made = SolanaKey.new()
    steps = [
        create_account(key.address, made.address, cluster.rent(MINT_SIZE), MINT_SIZE, program),
        create_mint(made.address, decimals, key.address, key.address, program),
        create_associated(key.address, key.address, made.address, program),
        mint_to(made.address, associated(key.address, made.address, program), key.address, amount, program),
    ]
    cluster.wait(cluster.send_raw(signed(cluster, steps, key, made)))
    return made.address


def validator(cluster: Cluster, key: SolanaKey, commission: int = 5) -> Address:
    """Makes a vote account that `key` pays for and owns, of `commission` percent; returns it. Nothing ever votes."""
    made, node = SolanaKey.new(), SolanaKey.new()
    accounts = (Meta(made.address, writable=True), Meta(RENT), Meta(CLOCK), Meta(node.address, signer=True))
    owner = octets(key.address)
    data = bytes(4) + octets(node.address) + owner + owner + bytes([commission])  # InitializeAccount, 0
    rent = cluster.rent(VOTE_SIZE)
    steps = [create_account(key.address, made.address, rent, VOTE_SIZE, VOTE), Instruction(VOTE, accounts, data)]
    cluster.wait(cluster.send_raw(signed(cluster, steps, key, made, node)))
    return made.address


class Interrupted(Cluster):
    """The answers of another cluster; `before` is called with the name of each question first, and may raise."""

    def __init__(self, cluster: Cluster, before: Callable[[str], None]) -> None:
        self._cluster, self._before = cluster, before

    @property
    def name(self) -> names.Chain:
        """The other cluster's name; never interrupted."""
        return self._cluster.name

    def send_raw(self, signed: bytes) -> Signature:
        """Sends a signed transaction."""
        self._before("send_raw")
        return self._cluster.send_raw(signed)

    def receipt(self, transaction: Signature) -> Receipt | None:
        """Returns a receipt."""
        self._before("receipt")
        return self._cluster.receipt(transaction)

    def wait(self, transaction: Signature, seconds: int = 60) -> Receipt:
        """Returns a receipt once there is one."""
        self._before("wait")
        return self._cluster.wait(transaction, seconds)

    def simulate(self, transaction: bytes, accounts: Sequence[Address] = (), *, after: Sequence[bytes] = ()) -> Outcome:
        """Returns what a transaction would do."""
        self._before("simulate")
        return self._cluster.simulate(transaction, accounts, after=after)

    def accounts(self, addresses: Sequence[Address]) -> tuple[Account | None, ...]:
        """Returns accounts."""
        self._before("accounts")
        return self._cluster.accounts(addresses)

    def owned(self, program: Address, size: int | None = None) -> dict[Address, Account]:
        """Returns a program's accounts."""
        self._before("owned")
        return self._cluster.owned(program, size)

    def balance(self, address: Address) -> int:
        """Returns lamports."""
        self._before("balance")
        return self._cluster.balance(address)

    def lifetime(self) -> Lifetime:
        """Returns the newest blockhash."""
        self._before("lifetime")
        return self._cluster.lifetime()

    def height(self, *, final: bool = False) -> int:
        """Returns the number of blocks."""
        self._before("height")
        return self._cluster.height(final=final)

    def block(self, slot: int | None = None) -> Block:
        """Returns a block."""
        self._before("block")
        return self._cluster.block(slot)

    def time(self) -> int:
        """Returns the newest block's time."""
        self._before("time")
        return self._cluster.time()

    def fee(self, message: bytes) -> int:
        """Returns what a message costs."""
        self._before("fee")
        return self._cluster.fee(message)

    def rent(self, size: int) -> int:
        """Returns an account's least lamports."""
        self._before("rent")
        return self._cluster.rent(size)

    def priorities(self, addresses: Sequence[Address] = ()) -> tuple[int, ...]:
        """Returns what recent blocks took."""
        self._before("priorities")
        return self._cluster.priorities(addresses)

    def history(self, address: Address, limit: int = 100) -> tuple[Signature, ...]:
        """Returns an address's transactions."""
        self._before("history")
        return self._cluster.history(address, limit)
