"""`mercato kit profit`."""

from __future__ import annotations

from typing import Any

from mercato.market.terminal import AsJson, show, table

WORDS = ("came", "left", "net")


def profit(as_json: AsJson = False) -> None:
    """Print what acts came to: what came and left by asset, fees apart, and its value where prices are known."""
    from mercato.kit.desk import shapes
    from mercato.kit.desk.valuation import Prices
    from mercato.kit.opening import opened
    from mercato.kit.profit import Tally
    from mercato.kit.units import dollars
    from mercato.market.opening import opened as market_opened

    with opened() as found, market_opened() as market:
        tally, prices = Tally(), Prices(market)
        while entries := found.ledger.journal(found.book, tally.seq):
            tally.take(entries)
        came = tally.profit(prices.of(tally.assets))
        body: Any = shapes.profit(came, tally.units, simulated=prices.made_up)
    if as_json:
        show(body)
        return
    rows = [
        [line["name"], *(line[f"{word}_whole"] or f"{line[word]} base units" for word in WORDS), _dollars(line)]
        for line in body["lines"]
    ]
    table("What acts came to", ["asset", *WORDS, "value"], rows)
    table("Fees", ["asset", "paid", "value"], [[fee["name"], fee["whole"], _dollars(fee)] for fee in body["fees"]])
    table("Result", ["settled", "failed", "value"], [[came.settled, came.failed, dollars(came.total)]])


def _dollars(line: dict[str, Any]) -> str:
    from mercato.kit.units import dollars

    value = line["value_micro_usd"]
    return dollars(None if value is None else int(value))
