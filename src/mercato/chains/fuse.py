"""The fuse: nothing is sent to a network where money is real, unless a setting takes the fuse out.

Only chain ids that are development chains by convention pass. A node's word for its chain id is not enough to be safe
from a mistake, but it is what wallets go by, and every signed transaction names it.
"""

from __future__ import annotations

from mercato.chains.errors import RealChainRefused

#: 1337 and 31337 are what development nodes start with (Geth, Ganache, Hardhat, Anvil).
DEVELOPMENT = frozenset({1337, 31337})


def check(chain_id: int, *, allow_real_chains: bool) -> None:
    """Raises RealChainRefused for sending to any chain but a development one, unless real chains are allowed."""
    if chain_id not in DEVELOPMENT and not allow_real_chains:
        raise RealChainRefused(
            f"chain id was {chain_id}, which is no development chain",
            hint="money may be real there; if that is meant, set MERCATO_CHAINS_ALLOW_REAL_CHAINS=true",
        )
