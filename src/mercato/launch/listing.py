"""What the market is told of the launches that are live: which token, which pool, and what of it does not circulate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mercato.chains import Address
from mercato.launch.model import Launch
from mercato.market.connectors.onchain import Listing

PLATFORM = "mercato"
SECTOR = "ai-agents"


def listings(
    launches: Iterable[Launch], chain: str, quote: Address, sectors: Mapping[str, str] | None = None
) -> list[Listing]:
    """Returns the listings of launches that have a pool, by symbol. `chain` is the CAIP-2 name.

    `sectors` names the market sectors of symbols that are not plain agents.
    """
    found = [
        _listing(launch, chain, quote, (sectors or {}).get(launch.application.symbol, SECTOR)) for launch in launches
    ]
    return sorted((item for item in found if item), key=lambda item: item.symbol)


def _listing(launch: Launch, chain: str, quote: Address, sector: str) -> Listing | None:
    held = launch.contracts
    if held is None or held.pool is None:
        return None
    return Listing(
        asset_id=f"{chain}:{held.token}",
        symbol=launch.application.symbol,
        name=launch.application.name,
        sector=sector,
        platform=PLATFORM,
        token=held.token,
        pool=held.pool,
        quote=quote,
        held=tuple(address for address in (held.vesting, held.partner_vesting) if address),
        active_from=datetime.fromtimestamp(held.ends, UTC).date(),
    )
