"""Where tokens live, in the words of vendors: deployments of the universe by chain, for those who ask by address."""

from __future__ import annotations

from collections.abc import Sequence

from mercato.core.chain import Chain
from mercato.core.errors import InvalidInput
from mercato.market.model import Asset

SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
#: Chains (CAIP-2) by the name that each vendor gives them. A chain that is not here is not asked for.
GECKOTERMINAL = {
    "eip155:1": "eth",
    "eip155:10": "optimism",
    "eip155:56": "bsc",
    "eip155:137": "polygon_pos",
    "eip155:8453": "base",
    "eip155:42161": "arbitrum",
    "eip155:43114": "avax",
    SOLANA: "solana",
}
DEXSCREENER = {
    "eip155:1": "ethereum",
    "eip155:10": "optimism",
    "eip155:56": "bsc",
    "eip155:137": "polygon",
    "eip155:8453": "base",
    "eip155:42161": "arbitrum",
    "eip155:43114": "avalanche",
    SOLANA: "solana",
}


def place(deployment: str) -> tuple[str, str]:
    """Returns chain (CAIP-2) and address of a deployment, written as CAIP-19 or CAIP-10.

    Raises InvalidInput for anything else.
    """
    head, slash, tail = deployment.partition("/")
    chain, address = (head, tail.partition(":")[2]) if slash else head.rpartition(":")[::2]
    if not address:
        raise InvalidInput(f"deployment was {deployment!r}", hint="expected eip155:8453/erc20:0x… or eip155:8453:0x…")
    return str(Chain.parse(chain)), plain_address(address)


def plain_address(address: str) -> str:
    """Returns an address in the form in which equal ones are equal: hexadecimal in lower case, base 58 as it is."""
    return address.lower() if address.startswith(("0x", "0X")) else address


def home_addresses(assets: Sequence[Asset], names: dict[str, str]) -> dict[str, dict[str, str]]:
    """Returns asset ids by address, by the vendor's chain name: one deployment each.

    That is the one on the home chain, else the first on a chain that the vendor knows. One place for each asset
    means that liquidity and volume are never counted twice; what lies on other chains is left out, and said so.
    """
    found: dict[str, dict[str, str]] = {}
    for asset in sorted(assets, key=lambda item: item.asset_id):
        places = [spot for spot in map(place, asset.deployments) if spot[0] in names]
        places.sort(key=lambda spot: spot[0] != asset.home_chain)  # stable: the home chain first
        if places:
            chain, address = places[0]
            found.setdefault(names[chain], {})[address] = asset.asset_id
    return found
