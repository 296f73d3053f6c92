"""A trade as a person writes it, and what it would give in words."""

from __future__ import annotations

from dataclasses import dataclass

from mercato.core.errors import InvalidInput
from mercato.launch.clearing import BPS
from mercato.launch.model import Launch
from mercato.launch.trading import LONGEST, PATIENCE, Quoted, least
from mercato.launch.views.book import Fact
from mercato.launch.views.form import Form
from mercato.launch.words import (
    basis_points,
    dollars,
    exact_dollars,
    exact_tokens,
    price,
    quote_units,
    token_units,
    tokens,
)

SLIPPAGE, MINUTES = "1", str(PATIENCE // 60)  # what stands in the form at first
DEAR = 50_000  # ppm off the present price, the fee aside, from which the page warns
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: base units of what is given, the slippage in basis points, seconds until it is void."""

    buys: bool
    amount: int
    slippage_bps: int
    patience: int

    def seal(self, smallest: int) -> str:
        """Returns the least that was shown for this very trade, to come back with the form."""
        return f"{'buy' if self.buys else 'sell'}:{self.amount}:{self.slippage_bps}:{smallest}"

    def promised(self, seen: str) -> int:
        """Returns the least that the page showed for this very trade; 0 where it showed another one, or none."""
        *_, smallest = seen.rsplit(":", 1)
        known = smallest.isascii() and smallest.isdigit() and len(smallest) <= 33
        return int(smallest) if known and seen == self.seal(int(smallest)) else 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a trade would give now. `seen` goes with the form, so that the trade gives no less than the page said."""

    words: str
    facts: tuple[Fact, ...]
    note: str
    kind: str
    seen: str


def asked(form: Form) -> Asked:
    """Returns the trade that a form asks for; what cannot be read is noted as a fault of its field."""
    side = form.text("side") or "buy"
    if side not in ("buy", "sell"):
        raise InvalidInput(f"side was {side[:80]!r}", hint="buy or sell")
    amount = form.read("amount", quote_units if side == "buy" else token_units) or 0
    if "amount" not in form.errors and not amount:
        form.fault("amount", "it was nothing")
    return Asked(side == "buy", amount, _slippage(form), _patience(form))


def _slippage(form: Form) -> int:
    found = form.read("slippage", lambda text: basis_points(text or SLIPPAGE)) or 0
    if found >= BPS:
        form.fault("slippage", "it was all of it: write less than 100")
    return found


def _patience(form: Form) -> int:
    text = form.text("minutes") or MINUTES
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) <= LONGEST // 60):
        form.fault("minutes", f"it was {text[:60]!r}: write a whole number from 1 to {LONGEST // 60}")
        return PATIENCE
    return int(text) * 60


def offer(launch: Launch, trade: Asked, found: Quoted) -> Offer:
    """Returns what a trade would give now, in words."""
    symbol, smallest = launch.application.symbol, least(found, trade.slippage_bps)
    own = (lambda units: f"{tokens(units)} {symbol}") if trade.buys else dollars
    given = dollars(found.given) if trade.buys else f"{tokens(found.given)} {symbol}"
    facts = (
        Fact("At least", own(smallest), f"{_percent(trade.slippage_bps * 100)} less; below that it fails"),
        Fact("Fee", dollars(found.fee), f"{_percent(found.fee_ppm)} of the dollars"),
        Fact(
            "Price impact",
            _percent((found.after - found.price) * MILLION // found.price),
            f"{price(found.price)} to {price(found.after)}",
        ),
        Fact("Off the price", _percent(found.impact_ppm), "on average, fee included"),
    )
    dear = found.impact_ppm - found.fee_ppm > DEAR
    note = f"At block {found.block}; void {trade.patience // 60} min after it is prepared."
    moved = "It moves the price by a lot: a smaller trade gets a better one. " if dear else ""
    return Offer(
        f"You would get {own(found.received)} for {given}", facts, moved + note, "warn" if dear else "",
        trade.seal(smallest),
    )  # fmt: skip


def holdings(launch: Launch, held: tuple[int, int]) -> str:
    """Returns what the visitor's account holds, to the last digit, so that all of it may be sold."""
    quote, own = held
    return f"You hold ${exact_dollars(quote)} and {exact_tokens(own)} {launch.application.symbol}."


def command(launch: Launch, trade: Asked, trader: str) -> str:
    """Returns the command that prepares the same trade."""
    verb = "buy" if trade.buys else "sell"
    bounds = f"--slippage-bps {trade.slippage_bps} --within {trade.patience}"
    return f"mercato launch {verb} {launch.id} {trade.amount} --from {trader} {bounds}"


def _percent(ppm: int) -> str:
    """Returns parts per million as a percentage to a hundredth, cut."""
    hundredths = abs(ppm) // 100
    return f"{'−' if ppm < 0 and hundredths else ''}{hundredths // 100}.{hundredths % 100:02d}%"
