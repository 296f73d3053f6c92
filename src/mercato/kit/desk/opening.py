"""Opens the desk beside the other rooms: the books in the store, the chains at hand, the market's prices."""

from __future__ import annotations

from mercato.chains import Chain
from mercato.core.clock import Clock
from mercato.core.settings import Settings
from mercato.kit.desk.service import Desk
from mercato.kit.desk.valuation import Market, Prices
from mercato.kit.evm.purse import Purse
from mercato.kit.ledger import Ledger
from mercato.kit.settings import KitSettings
from mercato.store import Store


def open_desk(
    store: Store, settings: Settings, chain: Chain, market: Market, clock: Clock, *, shared: bool = True
) -> Desk:
    """Returns the desk; people sign in with accounts of `chain`.

    A chain that is not `shared` is of this process alone: no agent acts on it, so what it says of balances is nothing.
    """
    prices = Prices(market)
    return Desk(
        Ledger(store, clock), settings.of(KitSettings).operators, purses=[Purse(chain)] if shared else (),
        pricing=prices.of, simulated=lambda: prices.made_up, sign_in_chain=chain.name.reference,
    )  # fmt: skip
