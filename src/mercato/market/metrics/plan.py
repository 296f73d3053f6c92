"""What a person brings to a scenario: a budget in whole cents, a multiple, and assumptions that they own (M14)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from mercato.core.errors import InvalidInput
from mercato.market.metrics import params
from mercato.market.model import Query

PARAMS = ("budget", "multiple", "asset", "dilution", "pool_usd", "max_loss", "sector_fall", "peers")
LEAST_CENTS, MOST_CENTS = 50_000, 500_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario. Parts are between 0 and 1; None means: use what the data says, or leave it unknown."""

    budget_cents: int
    multiple: float
    dilution: float | None
    pool_usd: float | None
    max_loss: float
    sector_fall: float | None


def cents(text: str) -> int:
    """Returns an amount of USD such as `1250.50` in whole cents; InvalidInput outside 500 to 5000 or below a cent."""
    try:
        amount = Decimal(text.strip()) * 100
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.to_integral_value() or not LEAST_CENTS <= amount <= MOST_CENTS:
        raise InvalidInput(f"budget was {text!r}", hint="give USD from 500 to 5000 in whole cents, such as 1250.50")
    return int(amount)


def usd_text(amount_cents: int | None) -> str | None:
    """Returns whole cents as USD text; None stays None."""
    return None if amount_cents is None else f"{amount_cents // 100}.{amount_cents % 100:02d}"


def plan(query: Query) -> Plan:
    """Returns the scenario of a query: `budget` 500-5000 USD (default 1000), `multiple` 10-100 (10), `dilution` 0-10,
    `pool_usd`, `max_loss` (part of the budget per idea, 0.1), `sector_fall`. Raises InvalidInput on others."""
    params.known(query, PARAMS)
    return Plan(
        budget_cents=cents(query.params.get("budget") or "1000"),
        multiple=params.given(query, "multiple", 10, 10, 100),
        dilution=params.number(query, "dilution", None, 0, 10),
        pool_usd=params.number(query, "pool_usd", None, 0, 1e12),
        max_loss=params.given(query, "max_loss", 0.1, 0, 1),
        sector_fall=params.number(query, "sector_fall", None, 0, 1),
    )
