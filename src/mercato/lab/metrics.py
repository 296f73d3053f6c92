"""What one run says: a row of numbers from its outcome and its tape. `None` is a number that the run does not have.

"People" are the persons of the tape; every account of the adversary is one entity. Money goes out in dollars, times in
seconds, everything else as plain ratios. T is the end of the auctions' window, or a later close.

    extraction_of_retail  (received - charged - costs of the adversary) / what people were charged
    extraction_of_raise   the same / the raise         rent_of_retail  what builders got of it / charged people
    gini, theil, p90_p10  of entry price by entity: all that it was charged by T / all tokens that it bought by T
    top10_share           tokens of the ten largest entities / tokens of all, of what was bought by T
    buyers_filled         people who bought by T; fill_rate  / people of the tape; late_buyers  only after T
    money_filled          what people were charged by T / the budgets of all people
    half_filled           people who were charged half of their budget or more by T / people of the tape
    welfare               (own value of what is kept + received - charged) of people / the raise at the floor
    retail_return         (what is kept at the common value + received - charged) of people / what they were charged
    people_gain           the same, not divided, in dollars
    impact_1h, impact_1h_half  how much dearer than the price a purchase of 1 % and 0.5 % of the raise is, fees in
    depth_2pct(_0h, _24h) dollars that move the price up and down by 2 %, added, at T + 1 h (T, T + 24 h)
    lp_to_fdv             quote in the pool / price * supply, at T + 1 h
    discovery_error       |ln(price at T / volume-weighted price of the 24 h after T)|
    value_error           |ln(price at T + 24 h / common value)|
    refund_error_wei      wei that no refund or charge accounts for, plus escrow that a failed launch kept
    take_rate             fees of protocol, creator and liquidity / all that was charged by trades and sales
    transactions_each     people's transactions / people who sent one
    gas_each              gas of these and of the claims / people who sent one; only where the contract is ours
    refund_hours          how long refunded money lay there, its owner's first order to T; only where people bid
    raised, price, holders, failed   the raise in dollars, valuation at T in dollars, people who hold at the end, 1 or 0
    adversary_tokens      whole tokens that the adversary bought by T; adversary_profit  in dollars, costs taken off
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mercato.lab import gas, measures
from mercato.lab.model import ADVERSARY, DOLLAR, HOUR, Q96, Outcome, Reserves, Tape, Trade

Row = dict[str, float | None]
TOKEN = 10**18


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entity paid and got by a time."""

    spent: int
    tokens: int

    @property
    def price(self) -> int:
        """The mean price, Q96."""
        return self.spent * Q96 // self.tokens


def entries(trades: Iterable[Trade], until: int) -> dict[int, Entry]:
    """Returns what each entity paid and got by a time, in order of its first purchase."""
    spent: defaultdict[int, int] = defaultdict(int)
    bought: defaultdict[int, int] = defaultdict(int)
    for who, tokens, quote, at in trades:
        if at <= until and tokens:
            entity = min(who, ADVERSARY)
            spent[entity] += quote
            bought[entity] += tokens
    return {entity: Entry(spent[entity], tokens) for entity, tokens in bought.items()}


def measure(outcome: Outcome, tape: Tape) -> Row:
    """Returns the row of a run; the names are those of the module's text."""
    found = entries(outcome.entries, outcome.closed)
    return {
        **_extraction(outcome, found),
        **_prices(found),
        **_fill(outcome, tape, found),
        **_pool(outcome, tape),
        **_discovery(outcome, tape),
        **_house(outcome, tape),
    }


def _extraction(outcome: Outcome, found: Mapping[int, Entry]) -> Row:
    spend, own = outcome.retail_spend, found.get(ADVERSARY)
    return {
        "extraction_of_retail": measures.part(outcome.profit, spend),
        "extraction_of_raise": measures.part(outcome.profit, outcome.raised),
        "rent_of_retail": measures.part(outcome.rent, spend),
        "adversary_tokens": own.tokens / TOKEN if own else 0.0,
        "adversary_profit": _dollars(outcome.profit),
    }


def _prices(found: Mapping[int, Entry]) -> Row:
    prices = [entry.price for entry in found.values()]
    return {
        "gini": measures.gini(prices),
        "theil": measures.theil(prices),
        "p90_p10": measures.spread(prices),
        "top10_share": measures.largest([entry.tokens for entry in found.values()]),
    }


def _fill(outcome: Outcome, tape: Tape, found: Mapping[int, Entry]) -> Row:
    people = [entity for entity in found if entity < ADVERSARY]
    late = {who for who, _, _, at in outcome.entries if at > outcome.closed and who < ADVERSARY}
    charged = sum(found[entity].spent for entity in people)
    gain = _kept(outcome, tape, tape.value)
    return {
        "buyers_filled": float(len(people)),
        "fill_rate": measures.part(len(people), len(tape)),
        "late_buyers": float(len(late - set(people))),
        "money_filled": measures.part(charged, sum(tape.budgets)),
        "half_filled": measures.part(sum(2 * found[who].spent >= tape.budgets[who] for who in people), len(tape)),
        "welfare": measures.part(_kept(outcome, tape), tape.economy.raise_target),
        "retail_return": measures.part(gain, outcome.retail_spend),
        "people_gain": _dollars(gain),
    }


def _kept(outcome: Outcome, tape: Tape, value: int | None = None) -> int:
    """Returns people's gain in quote: what tokens kept are worth to them, or at one valuation, plus got, less paid."""
    supply = tape.economy.supply
    gain = sum(
        tokens * (tape.values[who] if value is None else value) // supply
        for who, tokens in outcome.tokens.items()
        if who < ADVERSARY
    )
    got = sum(quote for who, quote in outcome.received.items() if who < ADVERSARY)
    return gain + got - outcome.retail_spend


def _pool(outcome: Outcome, tape: Tape) -> Row:
    opening, hour, day = outcome.depths
    half, whole = (_dearer(*each, hour) for each in outcome.impacts) if outcome.impacts else (None, None)
    return {
        "impact_1h": whole,
        "impact_1h_half": half,
        "depth_2pct": _dollars(measures.depth(hour.quote)),
        "depth_2pct_0h": _dollars(measures.depth(opening.quote)),
        "depth_2pct_24h": _dollars(measures.depth(day.quote)),
        "lp_to_fdv": measures.part(hour.tokens, tape.economy.supply),  # quote / (quote / tokens * supply)
    }


def _dearer(spend: int, tokens: int, pool: Reserves) -> float | None:
    """Returns how much dearer than the marginal price a purchase is, fees in."""
    if not (tokens and pool.quote and pool.tokens):
        return None
    return spend * pool.tokens / (tokens * pool.quote) - 1


def _discovery(outcome: Outcome, tape: Tape) -> Row:
    closed, supply = outcome.closed, tape.economy.supply
    after = [trade for trade in (*outcome.entries, *outcome.exits) if closed < trade[3] <= closed + 24 * HOUR]
    opening, _, day = (_price(pool) for pool in outcome.depths)
    tokens, quote = sum(trade[1] for trade in after), sum(trade[2] for trade in after)
    return {
        "discovery_error": measures.apart(opening, quote * Q96 // tokens) if tokens else None,
        "value_error": measures.apart(day, tape.value * Q96 // supply),
        "price": _dollars(opening * supply // Q96) if opening else None,
    }


def _house(outcome: Outcome, tape: Tape) -> Row:
    volume = sum(trade[2] for trade in outcome.entries) + sum(trade[2] for trade in outcome.exits)
    senders = {who for who, *_ in (*outcome.entries, *outcome.exits)} | set(outcome.refunds)
    people = [who for who in senders if who < ADVERSARY]
    bidders = {who for who, _, _, at in outcome.entries if at <= outcome.closed} | set(outcome.refunds)
    spent = gas.people_spent(outcome, bidders & set(people))
    sent = sum(count for kind, count in outcome.actions.items() if not kind.startswith("adversary-"))
    return {
        "refund_error_wei": float(outcome.refund_error),
        "take_rate": measures.part(sum(outcome.fees.values()), volume),
        "transactions_each": measures.part(sent, len(people)),
        "gas_each": None if spent is None else measures.part(spent, len(people)),
        "refund_hours": _refund_hours(outcome, tape),
        "raised": _dollars(outcome.raised),
        "holders": float(sum(1 for who, held in outcome.tokens.items() if held > 0 and who < ADVERSARY)),
        "failed": float(outcome.failed),
    }


def _refund_hours(outcome: Outcome, tape: Tape) -> float | None:
    """Returns the mean time that people's refunded money lay in bids, by money: venues pay all of it at T."""
    back = {who: quote for who, quote in outcome.refunds.items() if who < ADVERSARY}
    if not outcome.actions.get("bid"):
        return None
    waited = sum(quote * max(outcome.closed - tape.arrives[who] - tape.delays[who], 0) for who, quote in back.items())
    return measures.part(waited, sum(back.values()) * HOUR)


def _price(pool: Reserves) -> int:
    """Returns the price at reserves, Q96; 0 without a pool."""
    return pool.quote * Q96 // pool.tokens if pool.tokens else 0


def _dollars(units: float | None) -> float | None:
    return None if units is None else units / DOLLAR
