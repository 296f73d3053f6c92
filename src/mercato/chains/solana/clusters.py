"""Names of Solana clusters (CAIP-2, namespace solana), and the fuse before those where money may be real.

A cluster's reference is the first 32 letters of its genesis hash. What a transaction is valid on is decided by its
recent blockhash, which exists on one cluster only.
"""

from __future__ import annotations

from mercato.chains.errors import RealChainRefused
from mercato.chains.solana.model import Blockhash
from mercato.core.chain import Chain

REFERENCE = 32  # letters

MAINNET = Chain("solana", "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")
DEVNET = Chain("solana", "EtWTRABZaYq6iMfeYKouRu166VU2xqa1")
TESTNET = Chain("solana", "4uhcVJyU9pJkvQyS88uRDiswHScCKQY3")
PUBLIC = {"mainnet": MAINNET, "devnet": DEVNET, "testnet": TESTNET}

#: SHA-256 of "mercato embedded solana cluster": what the embedded cluster gives as its genesis hash.
GENESIS = Blockhash("H1jXFdTQ8KxuBKm1pbJwe1vkWqVNR2DUwaSLZwn6Vy4s")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def named(genesis: Blockhash) -> Chain:
    """Returns the CAIP-2 name of the cluster that began with a hash."""
    return Chain("solana", genesis[:REFERENCE])


EMBEDDED = named(GENESIS)


def check(chain: Chain, host: str, *, allow_real_chains: bool) -> None:
    """Raises RealChainRefused for sending to any cluster but a development one, unless real chains are allowed.

    Development ones are the embedded cluster, and any other than the three public ones on this very machine, since
    each local validator begins with a hash of its own.
    """
    private = chain not in PUBLIC.values() and host in LOOPBACK
    if chain != EMBEDDED and not private and not allow_real_chains:
        raise RealChainRefused(
            f"cluster was {chain}, which is no development cluster",
            hint="money may be real there; if that is meant, set MERCATO_CHAINS_ALLOW_REAL_CHAINS=true",
        )
