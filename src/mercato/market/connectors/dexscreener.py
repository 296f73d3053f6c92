"""DexScreener: price, liquidity and volume of tokens from their pools on one chain, by address.

Shapes: the pairs that `/tokens/v1/{chainId}/{tokenAddresses}` answers as DexScreener's API reference lists them (up to
30 addresses and 300 calls a minute, no key). Pools come in any order and name the token as base or as quote; only those
with the token as base count. The price is that of the deepest pool; liquidity and volume are sums over pools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from mercato.market.connectors.connector import Connector, Context, Request, chunks, pack_assets
from mercato.market.connectors.http import Limits
from mercato.market.connectors.places import DEXSCREENER, home_addresses, plain_address
from mercato.market.connectors.rows import (
    Malformed,
    Rows,
    asset_map,
    entries,
    mapping,
    number,
    observations,
    read_json,
    require,
    sequence,
)
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import RawDocument

ADDRESSES_PER_CALL = 30


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool of a known asset: its price, and in USD its liquidity and what it traded in 24 hours."""

    asset: str
    address: str
    row: int
    price: float
    liquidity: float
    volume: float


@observations("dexscreener.tokens/1")
def tokens(raw: RawDocument, rows: Rows) -> None:
    """Reads /tokens/v1: every value is of the moment of the answer, which carries no time."""
    assets = asset_map(raw)
    pools: dict[str, list[Pool]] = {}
    for row, entry in entries(sequence(read_json(raw), "the list of pools"), "a pool", rows):
        try:
            pool = _pool(entry, row, assets)
        except Malformed as error:
            rows.reject(row, str(error), str(dict(entry)))
            continue
        if pool is None:
            rows.skip()
        else:
            pools.setdefault(pool.asset, []).append(pool)
    for asset, found in sorted(pools.items()):
        deepest = max(found, key=lambda pool: (pool.liquidity, pool.address))
        rows.add(asset, "price_usd", raw.observed_at, deepest.price, deepest.row)
        rows.add(asset, "liquidity_usd", raw.observed_at, sum(pool.liquidity for pool in found), deepest.row)
        rows.add(asset, "volume_usd_24h", raw.observed_at, sum(pool.volume for pool in found), deepest.row)


def _pool(entry: Mapping[str, object], row: int, assets: Mapping[str, str]) -> Pool | None:
    """Returns the pool, or None where its base is not one of ours or it has no price."""
    base = mapping(require(entry, "baseToken", "a pool", row), "baseToken", row)
    asset = assets.get(plain_address(str(require(base, "address", "baseToken", row))))
    if asset is None or entry.get("priceUsd") is None:
        return None
    liquidity = mapping(entry.get("liquidity") or {}, "liquidity", row)
    volume = mapping(entry.get("volume") or {}, "volume", row)
    return Pool(
        asset,
        str(require(entry, "pairAddress", "a pool", row)),
        row,
        number(entry["priceUsd"]),
        number(liquidity.get("usd") or 0),
        number(volume.get("h24") or 0),
    )


def plan(context: Context) -> Sequence[Request]:
    """Returns one request per chain and 30 addresses."""
    return [
        Request(
            f"{context.settings.dexscreener_url}/tokens/v1/{chain}/{','.join(page)}",
            "dexscreener.tokens/1",
            options=pack_assets({address: found[address] for address in page}),
        )
        for chain, found in home_addresses(context.assets, DEXSCREENER).items()
        for page in chunks(sorted(found), ADDRESSES_PER_CALL)
    ]


def limits(settings: SourceSettings) -> Limits:
    """Returns the public limit, less a margin."""
    return Limits(per_minute=settings.dexscreener_per_minute, burst=10)


CONNECTOR = Connector(
    "dexscreener",
    "dexscreener",
    "DexScreener pools on the home chain",
    "DexScreener API terms: no redistribution of raw data",
    timedelta(hours=1),
    plan,
    limits,
)
