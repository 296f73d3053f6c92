"""How a figure is said to a person: `$4.62B`, `12.3%`, `−69.5%`, `unknown`. The exact value stays in the figure."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal, InvalidOperation

from mercato.core.numerals import UNKNOWN, axis, by_unit, plain
from mercato.market.model import Asset, Figure

#: Columns and figures that are ratios, and read better as multiples than as percentages.
MULTIPLES = frozenset({"multiple", "f", "fdv-to-circulating", "required-of-sector", "required-of-record", "kept"})

#: CAIP-2 chains that a reader knows by name.
CHAINS = {
    "eip155:1": "Ethereum",
    "eip155:8453": "Base",
    "eip155:42161": "Arbitrum",
    "eip155:56": "BNB Chain",
    "eip155:137": "Polygon",
    "eip155:10": "Optimism",
    "eip155:43114": "Avalanche",
    "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp": "Solana",
    "solana": "Solana",
    "near:mainnet": "NEAR",
    "icp:mainnet": "Internet Computer",
    "bittensor:mainnet": "Bittensor",
    "fetchhub:mainnet": "Fetch.ai",
    "eip155:31337": "Local chain",
    "eip155:480": "World Chain",
    "eip155:1480": "Vana",
    "eip155:16661": "0G",
    "cosmos:aioz_168-1": "AIOZ Network",
    "cosmos:akashnet-2": "Akash",
    "xrpl:0": "XRP Ledger",
    "bip122:000000000019d6689c085ae165831e93": "Bitcoin",
    "bip122:1a91e3dace36e2be3bf030a65679fe82": "Dogecoin",
}


#: Assets and groups that a reader knows by another name.
NAMES = {
    "all": "all of them",
    "ai": "AI",
    "defi": "DeFi",
    "defai": "DeFAI",
    "example-launchpad": "Example Launchpad",
    "example-forge": "Example Forge",
    "mercato": "Mercato",
    "virtuals": "Virtuals",
    "alphabet": "Alphabet",
    "bitcoin": "Bitcoin",
    "total-crypto": "total crypto",
    "equity:aapl": "Apple",
    "equity:amzn": "Amazon",
    "equity:meta": "Meta",
    "equity:msft": "Microsoft",
    "equity:nvda": "Nvidia",
    "equity:googl": "Alphabet",
    "equity:goog": "Alphabet",
}

_called: ContextVar[Mapping[str, str]] = ContextVar("mercato_market_called", default=types.MappingProxyType({}))


def value_words(figure: Figure) -> str:
    """Returns a figure's value as a person would say it; `unknown` where there is none."""
    return cell(figure.value, figure.unit, figure.name)


def said(value: str | None, unit: str) -> str:
    """Returns a value of a unit as words: scaled money, percent, percentage points, days, multiples."""
    return by_unit(value, unit)


def cell(value: str | None, unit: str, column: str = "") -> str:
    """Returns a cell of a table as words: like `said`, but chains by name, and multiples as multiples."""
    if value is not None and unit == "ratio" and column.replace("_", "-") in MULTIPLES:
        return said(value, "multiple")
    return said(label(value) if value is not None and unit == "" else value, unit)


def tick(value: float, unit: str) -> str:
    """Returns a place on an axis as words, without zeros at the end: `$5B`, `−50%`, `120`."""
    return axis(f"{Decimal(repr(value)):f}", unit)


def amount(value: float, unit: str) -> str:
    """Returns a place on an axis as a value of its unit, in full: what stands beside a mark of a chart."""
    return by_unit(f"{Decimal(repr(value)):f}", unit)


def dimension(figure: Figure, name: str) -> str:
    """Returns another face of a figure than its plain value.

    `date` is its as-of day and `definition` its version; `verb` says rose or fell, `signed` and `size` the value with
    and without its sign, `times` a ratio as a multiple, `plain` a bare number, `yesno` a truth; any other name is one
    of its dimensions.
    """
    match name:
        case "date":
            return figure.as_of.isoformat()
        case "definition":
            return figure.definition
        case "verb" | "size" | "times" | "plain" | "signed" | "yesno":
            return _faces(figure)[name] if figure.value is not None else UNKNOWN
        case _:
            return label(figure.dims.get(name, UNKNOWN))


def _faces(figure: Figure) -> dict[str, str]:
    """Returns the other faces of a known value; a text value is its own face."""
    value = figure.value or ""
    truth = {"true": "yes", "false": "no", "1": "yes", "0": "no"}.get(value.lower(), value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        return dict.fromkeys(("verb", "size", "times", "signed"), value) | {"yesno": truth}
    verb = "did not move" if number == 0 else "rose" if number > 0 else "fell"
    plus = "+" if number > 0 else ""
    return {
        "verb": verb,
        "size": by_unit(abs(number), figure.unit),
        "times": f"{plain(number)}×",
        "plain": plain(number),
        "signed": plus + by_unit(number, figure.unit),
        "yesno": truth,
    }


def label(text: str) -> str:
    """Returns a chain, an asset or a project by the name that a reader knows, and any other text as it is."""
    known = CHAINS.get(text) or NAMES.get(text) or _called.get().get(text)
    return known or text.removeprefix("dev:")


@contextmanager
def called(assets: Iterable[Asset]) -> Iterator[None]:
    """Says these assets by their names instead of their ids, in everything that is written inside the block."""
    token = _called.set(names(assets))
    try:
        yield
    finally:
        _called.reset(token)


def names(assets: Iterable[Asset]) -> Mapping[str, str]:
    """Returns how assets are called, by id; two that share a name are told apart by their symbols."""
    known = [item for item in assets if item.name]
    times = Counter(item.name for item in known)
    return {item.asset_id: f"{item.name} ({item.symbol})" if times[item.name] > 1 else item.name for item in known}
