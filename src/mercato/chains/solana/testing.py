"""Doubles for tests and examples: an embedded cluster with rich accounts whose keys everybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import START, LocalCluster
from mercato.chains.solana.messages import compile_message, octets, sign
from mercato.chains.solana.model import SOL, TOKEN, Address, Cluster, Instruction, Meta
from mercato.chains.solana.stake import CLOCK, RENT, VOTE
from mercato.chains.solana.tokens import MINT_SIZE, associated, create_account, create_associated, create_mint, mint_to

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
