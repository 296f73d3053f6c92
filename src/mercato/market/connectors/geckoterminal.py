"""GeckoTerminal: price, liquidity and volume of tokens over all their pools on one chain, by address.

Shapes: GeckoTerminal's public API v2 description (`/networks/{network}/tokens/multi/{addresses}`, up to 30 addresses,
30 calls a minute, no key). Numbers come as text. Only the home chain of each token is asked for (see places.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from mercato.market.connectors.connector import Connector, Context, Request, chunks, pack_assets
from mercato.market.connectors.http import Limits
from mercato.market.connectors.places import GECKOTERMINAL, home_addresses, plain_address
from mercato.market.connectors.rows import (
    Malformed,
    Rows,
    asset_map,
    entries,
    mapping,
    observations,
    read_json,
    require,
    sequence,
)
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import RawDocument

ADDRESSES_PER_CALL = 30


@observations("geckoterminal.tokens/1")
def tokens(raw: RawDocument, rows: Rows) -> None:
    """Reads /networks/{network}/tokens/multi: every value is of the moment of the answer, which carries no time."""
    assets = asset_map(raw)
    data = sequence(require(mapping(read_json(raw), "the answer"), "data", "the answer"), "data")
    for row, entry in entries(data, "a token", rows):
        try:
            token = mapping(require(entry, "attributes", "a token", row), "attributes", row)
            asset = assets.get(plain_address(str(require(token, "address", "attributes", row))))
            if asset is None:
                rows.skip()
                continue
            volume = mapping(token.get("volume_usd") or {}, "volume_usd", row)
            rows.add(asset, "price_usd", raw.observed_at, require(token, "price_usd", "attributes", row), row)
            rows.add(asset, "liquidity_usd", raw.observed_at, token.get("total_reserve_in_usd"), row)
            rows.add(asset, "volume_usd_24h", raw.observed_at, volume.get("h24"), row)
        except Malformed as error:
            rows.reject(row, str(error), str(dict(entry)))


def plan(context: Context) -> Sequence[Request]:
    """Returns one request per chain and 30 addresses."""
    return [
        Request(
            f"{context.settings.geckoterminal_url}/networks/{network}/tokens/multi/{','.join(page)}",
            "geckoterminal.tokens/1",
            options=pack_assets({address: found[address] for address in page}),
            accept="application/json;version=20230302",
        )
        for network, found in home_addresses(context.assets, GECKOTERMINAL).items()
        for page in chunks(sorted(found), ADDRESSES_PER_CALL)
    ]


def limits(settings: SourceSettings) -> Limits:
    """Returns the public limit, less a margin."""
    return Limits(per_minute=settings.geckoterminal_per_minute, burst=2)


CONNECTOR = Connector(
    "geckoterminal",
    "geckoterminal",
    "GeckoTerminal pools on the home chain",
    "GeckoTerminal public API terms: attribution",
    timedelta(hours=1),
    plan,
    limits,
)
