"""Cases for `mercato launch settle`: an auction as one JSON text, checked field by field."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never

from mercato.core.errors import InvalidInput
from mercato.launch.clearing import AMOUNT_LIMIT, BPS, LEVELS, PRICE_LIMIT, RETAIL, Terms, grid

LARGEST = 256 * 2**20  # bytes of a case: two million bids
_WHOLE = re.compile(r"[0-9]{1,80}")


@dataclass(frozen=True, slots=True)
class Bid:
    """One bid of a case; `level` is RETAIL for one that takes whatever price comes out."""

    id: str | int
    bidder: str | int
    level: int
    amount: int


@dataclass(frozen=True, slots=True)
class Case:
    """An auction with all its bids. Amounts in base units, the floor in Q96."""

    sale: int
    retail_cap: int
    raise_min: int
    floor_q96: int
    step_bps: int
    levels: int
    bids: tuple[Bid, ...]

    @property
    def terms(self) -> Terms:
        """The terms for the model."""
        return Terms(self.sale, self.retail_cap, self.raise_min, grid(self.floor_q96, self.step_bps, self.levels))


def load(path: Path) -> Case:
    """Returns the case in a file; InvalidInput names the field that cannot be right, and why."""
    try:
        if path.stat().st_size > LARGEST:
            _refuse("case", f"has {path.stat().st_size} bytes, at most {LARGEST} are read")
        return parse(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"case was {str(path)!r}, which cannot be read: {error.strerror}") from None


def parse(text: str | bytes) -> Case:
    """Returns the case in a JSON text."""
    from pydantic_core import from_json

    try:
        from_json(text, allow_inf_nan=True)  # refuses deep nesting, on which the standard library may run out of stack
        found = json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        if isinstance(error, InvalidInput):
            raise
        _refuse("case", f"is no JSON that can be read: {error}")
    if not isinstance(found, dict):
        _refuse("case", f"was {_short(found)}, expected an object")
    sale = _number(found, "sale", 1, AMOUNT_LIMIT - 1)
    case = Case(
        sale,
        _number(found, "retail_cap", 0, sale),
        _number(found, "raise_min", 0, AMOUNT_LIMIT - 1),
        _number(found, "floor_q96", 1, PRICE_LIMIT - 1),
        _number(found, "step_bps", 1, BPS),
        levels := _number(found, "levels", 1, LEVELS),
        _bids(found, levels),
    )
    if (top := case.terms.prices[-1]) >= PRICE_LIMIT:
        _refuse("floor_q96", f"was {case.floor_q96}, which makes the top level {top}, expected less than 2**128")
    return case


def _bids(found: dict[str, Any], levels: int) -> tuple[Bid, ...]:
    listed = _field(found, "bids", "bids")
    if not isinstance(listed, list):
        _refuse("bids", f"was {_short(listed)}, expected a list")
    bids = tuple(_bid(item, f"bids[{place}]", levels) for place, item in enumerate(listed))
    seen: set[str | int] = set()
    for place, bid in enumerate(bids):
        if bid.id in seen:
            _refuse(f"bids[{place}].id", f"was {_short(bid.id)}, which an earlier bid has")
        seen.add(bid.id)
    if (total := sum(bid.amount for bid in bids)) >= AMOUNT_LIMIT:
        _refuse("bids", f"add up to {total}, expected less than 2**112")
    return bids


def _bid(item: Any, where: str, levels: int) -> Bid:
    if not isinstance(item, dict):
        _refuse(where, f"was {_short(item)}, expected an object")
    level = _field(item, "level", f"{where}.level")
    level = RETAIL if level is None else _whole(level, f"{where}.level", 0, levels - 1, also=", or null for retail")
    amount = _whole(_field(item, "amount", f"{where}.amount"), f"{where}.amount", 1, AMOUNT_LIMIT - 1)
    return Bid(_label(item, "id", where), _label(item, "bidder", where), level, amount)


def _label(item: dict[str, Any], name: str, where: str) -> str | int:
    label = _field(item, name, f"{where}.{name}")
    if isinstance(label, bool) or not isinstance(label, str | int) or label == "" or len(str(label)) > 200:
        _refuse(f"{where}.{name}", f"was {_short(label)}, expected a text of 1 to 200 characters")
    return label


def _number(found: dict[str, Any], name: str, least: int, most: int) -> int:
    return _whole(_field(found, name, name), name, least, most)


def _field(found: dict[str, Any], name: str, where: str) -> Any:
    if name not in found:
        _refuse(where, "is missing")
    return found[name]


def _whole(value: Any, where: str, least: int, most: int, *, also: str = "") -> int:
    """Returns a whole number given as decimal text or as a JSON integer."""
    plain = isinstance(value, int) and not isinstance(value, bool)
    if not plain and not (isinstance(value, str) and _WHOLE.fullmatch(value)):
        _refuse(where, f"was {_short(value)}, expected a whole number as text{also}")
    if not least <= int(value) <= most:
        _refuse(where, f"was {_short(value)}, expected {least} to {most}{also}")
    return int(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse(_short(twice), "is given twice in one object")
    return found


def _short(value: Any) -> str:
    """Returns the value on one line, cut where it is long."""
    said = json.dumps(value, default=repr)
    return said if len(said) <= 80 else said[:79] + "…"


def _refuse(where: str, why: str) -> Never:
    raise InvalidInput(f"{where} {why}")
