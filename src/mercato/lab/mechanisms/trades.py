"""The mechanisms that sell by trades, at their makers' recommended settings."""

from collections.abc import Callable

from mercato.lab.mechanisms.clanker import Clanker
from mercato.lab.mechanisms.doppler import Doppler
from mercato.lab.mechanisms.lbp import BootstrappingPool
from mercato.lab.mechanisms.meteora import Meteora
from mercato.lab.mechanisms.port import Venue
from mercato.lab.mechanisms.pump import Pump
from mercato.lab.mechanisms.virtuals import Virtuals
from mercato.lab.model import MINUTE, Economy

TRADES: dict[str, Callable[[Economy], Venue]] = {
    "pump": Pump,
    "virtuals-60s": lambda economy: Virtuals(economy, MINUTE),
    "virtuals-98m": lambda economy: Virtuals(economy, 98 * MINUTE),
    "clanker-decay": Clanker,
    "clanker-priority": lambda economy: Clanker(economy, auctioned=True),
    "meteora": Meteora,
    "doppler": Doppler,
    "lbp": BootstrappingPool,
}
"""Name -> what makes a fresh launch of it."""
