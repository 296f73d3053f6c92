"""What an agent's acts came to, from its journal alone: what came and left of each asset, and fees apart.

An amount counts once its act is settled, on the day on which it was. What was only signed, a permit or a payment that
somebody else may bring, is `promised`: nobody knows whether it came to anything. Transfers count as what they are,
what came and what left: a journal does not say for what. Values are whole micro-dollars, rounded down, at the price of
each day, fees rounded up; where one price that is needed is not known, the value is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

from mercato.kit.acts import Arrow, Entry
from mercato.kit.units import Units

MICRO = 10**6
Price = Callable[[str, date], Fraction | None]
"""Dollars for a whole unit of an asset (its CAIP-19 name) on a day; None where nobody knows."""
Flows = dict[tuple[str, date], int]


@dataclass(frozen=True, slots=True)
class Line:
    """What came and left of an asset, in base units, and what was promised; `value` is of `came` less `left`."""

    asset: str
    came: int
    left: int
    promised: int
    value: int | None

    @property
    def net(self) -> int:
        """Returns how much more there is, below 0 where it is less."""
        return self.came - self.left


@dataclass(frozen=True, slots=True)
class Fee:
    """What was paid to have transactions included, in base units; `value` is what it cost."""

    asset: str
    units: int
    value: int | None


@dataclass(frozen=True, slots=True)
class Profit:
    """What acts came to. `total` is the value of all lines less all fees; None where one of them is not known.

    `unpriced` are the assets that it lacks a price, or decimals, of. `failed` counts the settled acts that failed.
    """

    lines: tuple[Line, ...]
    fees: tuple[Fee, ...]
    total: int | None
    unpriced: tuple[str, ...]
    settled: int
    failed: int


@dataclass
class Tally:
    """What the entries so far come to; `take` them in their order. `seq` is the last one's."""

    seq: int = 0
    units: Units = field(default_factory=Units)
    came: Flows = field(default_factory=dict)
    left: Flows = field(default_factory=dict)
    fees: Flows = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)
    settled: int = 0
    failed: int = 0
    _messages: set[str] = field(default_factory=set)

    @property
    def assets(self) -> set[str]:
        """Returns the assets that prices are needed of."""
        return {asset for asset, _ in (*self.came, *self.left, *self.fees)}

    def take(self, entries: Iterable[Entry]) -> Tally:
        """Adds entries."""
        for entry in entries:
            self._take(entry)
            self.seq = entry.seq
        return self

    def _take(self, entry: Entry) -> None:
        body: Mapping[str, Any] = entry.body
        if entry.arrow is Arrow.RULED:
            self.units.learn(body["policy"])
        elif entry.arrow is Arrow.PLANNED and "message" in body:
            self._messages.add(entry.act)
        elif entry.arrow is Arrow.CONFIRMED:
            self.failed += not body["succeeded"]
        elif entry.arrow is Arrow.SETTLED:
            self._settle(entry.act, body["effects"], entry.at.date())

    def _settle(self, act: str, effects: Mapping[str, Any], day: date) -> None:
        self.settled += 1
        moves = [(str(item["asset"]), int(item["units"])) for item in effects["moves"]]
        if act in self._messages:
            for asset, units in moves:
                self.promised[asset] = self.promised.get(asset, 0) - units
            return
        for asset, units in moves:
            _add(self.came if units > 0 else self.left, (asset, day), abs(units))
        _add(self.fees, (str(effects["fee_asset"]), day), int(effects["fee"]))

    def profit(self, price: Price) -> Profit:
        """Returns what it all comes to at these prices."""
        values = _Values(self.units, price)
        assets = sorted({asset for asset, _ in (*self.came, *self.left)} | set(self.promised))
        lines = tuple(
            Line(
                asset, _sum(self.came, asset), _sum(self.left, asset), self.promised.get(asset, 0),
                values.of(asset, self.came, self.left),
            )
            for asset in assets
        )  # fmt: skip
        paid = sorted({asset for asset, _ in self.fees})
        lost = {asset: values.of(asset, {}, self.fees) for asset in paid}
        fees = tuple(Fee(asset, _sum(self.fees, asset), None if v is None else -v) for asset, v in lost.items())
        known = [*(line.value for line in lines), *lost.values()]
        total = None if values.unpriced else sum(value for value in known if value is not None)
        return Profit(lines, fees, total, tuple(sorted(values.unpriced)), self.settled, self.failed)


@dataclass
class _Values:
    """Values flows, and remembers what it could not value."""

    units: Units
    price: Price
    unpriced: set[str] = field(default_factory=set)

    def of(self, asset: str, plus: Flows, minus: Flows) -> int | None:
        """Returns the micro-dollars of what came less what left."""
        found, places = Fraction(0), self.units.places(asset)
        for flows, sign in ((plus, 1), (minus, -1)):
            for (name, day), units in flows.items():
                if name != asset:
                    continue
                price = self.price(asset, day) if places is not None else None
                if price is None or places is None:
                    self.unpriced.add(asset)
                    return None
                found += sign * price * units * MICRO / 10**places
        return floor(found)


def _add(flows: Flows, key: tuple[str, date], units: int) -> None:
    if units:
        flows[key] = flows.get(key, 0) + units


def _sum(flows: Flows, asset: str) -> int:
    return sum(units for (name, _), units in flows.items() if name == asset)
