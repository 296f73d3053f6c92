"""What a transaction may use, and what it offers to come first: the compute budget program, and an estimate.

A price is micro-lamports (10^-6 lamports) per unit of computing, above the 5000 lamports of each signature. It is paid
for the units that a transaction asks for, not for those that it uses.
"""

from __future__ import annotations

from collections.abc import Sequence

from mercato.chains.errors import BadCall
from mercato.chains.solana.model import Address, Instruction

BUDGET = Address("ComputeBudget111111111111111111111111111111")
MOST_UNITS = 1_400_000  # of one transaction
MICRO = 10**6
FULL = 100


def limit_units(units: int) -> Instruction:
    """Asks for so many units (SetComputeUnitLimit, 2)."""
    if not 0 < units <= MOST_UNITS:
        raise BadCall(f"units were {units!r}", hint=f"1 to {MOST_UNITS}")
    return Instruction(BUDGET, (), b"\2" + units.to_bytes(4, "little"))


def offer_price(price: int) -> Instruction:
    """Offers micro-lamports per unit (SetComputeUnitPrice, 3)."""
    if not 0 <= price < 2**64:
        raise BadCall(f"price was {price!r}", hint="expected a whole number of micro-lamports below 2**64")
    return Instruction(BUDGET, (), b"\3" + price.to_bytes(8, "little"))


def priority_fee(units: int, price: int) -> int:
    """Returns the lamports that a price comes to for so many units, rounded up as the cluster does."""
    return -(-units * price // MICRO)


def estimate(paid: Sequence[int], percent: int = 75) -> int:
    """Returns the price that so many percent of recent blocks would have taken; 0 where none is known.

    `paid` is the least price of each block, as `Cluster.priorities` tells it.
    """
    if not 0 <= percent <= FULL:
        raise BadCall(f"percent was {percent!r}", hint="0 to 100")
    ordered = sorted(paid)
    return ordered[min(len(ordered) * percent // FULL, len(ordered) - 1)] if ordered else 0
