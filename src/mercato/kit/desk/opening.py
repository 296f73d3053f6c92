"""Opens the desk beside the other rooms: the books in the store, the chains at hand, the market's prices."""

from __future__ import annotations

import structlog

from mercato.chains import Chain
from mercato.chains.opening import open_cluster
from mercato.chains.settings import ChainSettings
from mercato.core.clock import Clock
from mercato.core.errors import ConfigError, SourceError
from mercato.core.settings import Settings
from mercato.kit.desk.holdings import Purse as Port
from mercato.kit.desk.service import Desk
from mercato.kit.desk.valuation import Market, Prices
from mercato.kit.evm.purse import Purse
from mercato.kit.ledger import Ledger
from mercato.kit.settings import KitSettings
from mercato.store import Store

log = structlog.get_logger("mercato.kit")


def open_desk(
    store: Store, settings: Settings, chain: Chain, market: Market, clock: Clock, *, shared: bool = True
) -> Desk:
    """Returns the desk; people sign in with accounts of `chain`.

    A chain that is not `shared` is of this process alone: no agent acts on it, so what it says of balances is nothing.
    """
    prices = Prices(market)
    purses = [*([Purse(chain)] if shared else ()), *_solana(settings.of(ChainSettings))]
    return Desk(
        Ledger(store, clock), settings.of(KitSettings).operators, purses=purses,
        pricing=prices.of, simulated=lambda: prices.made_up, sign_in_chain=chain.name.reference,
    )  # fmt: skip


def _solana(wanted: ChainSettings) -> list[Port]:
    """Returns the Solana cluster of the settings, where they name one that answers."""
    if not wanted.solana_rpc:
        return []
    from mercato.kit.solana.purse import Purse as SolanaPurse

    try:
        return [SolanaPurse(open_cluster(wanted))]
    except (SourceError, ConfigError) as error:
        log.warning("the desk shows no balances on Solana", reason=error.message)
        return []
