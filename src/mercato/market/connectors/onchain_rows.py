"""What logs of a chain say of prices, volumes, depth and supplies: the parser of `onchain` documents.

Shapes: our pool's `Swapped`, whose reserves follow the trade, and `Swap` and `Sync` of Uniswap v2's pairs. The quote
token counts as one US dollar, as the listing says. Price of an hour = quote reserve / token reserve after its last
trade. Supply on chain = made - burned - what lies at the `held` addresses (vesting and the like).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from mercato.chains import Address
from mercato.chains.model import ZERO
from mercato.market.connectors.onchain import DAY, PARSER, SWAP, SWAPPED, SYNC, TRANSFER, Listing
from mercato.market.connectors.rows import Malformed, Rows, epoch, mapping, read_json, require, sequence
from mercato.market.layers.parsers import register
from mercato.market.model import Asset, Parsed, RawDocument

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Line:
    """One log of a document: where it stands in it, when it was, and its words as whole numbers."""

    row: int
    time: int
    address: str
    event: bytes
    parties: tuple[str, ...]
    words: tuple[int, ...]


@register(PARSER)
def parse(raw: RawDocument) -> Parsed:
    """Returns the observations of a document of logs, and the assets that it introduces."""
    rows, assets = Rows(), list[Asset]()
    try:
        body = mapping(read_json(raw), "the document")
        chain = str(require(body, "chain", "the document"))
        listings = [_listing(entry) for entry in sequence(require(body, "listings", "the document"), "listings")]
        lines = list(_lines(body, rows))
        for item in listings:
            assets.append(_asset(item, chain))
            _observe(item, [line for line in lines if line.address in {item.pool, item.token}], rows)
    except Malformed as error:
        rows.reject(error.row, str(error), error.text)
    found = rows.parsed()
    return Parsed(found.tables, found.rejected, found.skipped, assets)


def _listing(entry: object) -> Listing:
    values = dict(mapping(entry, "a listing"))
    try:
        born = values.get("active_from")
        held = tuple(Address(str(address)) for address in sequence(values.get("held", []), "held"))
        values |= {"held": held, "active_from": date.fromisoformat(str(born)) if born else None}
        return Listing(**values)  # type: ignore[arg-type]  # names are checked here, types below and by use
    except (TypeError, ValueError) as error:
        raise Malformed(f"a listing was unreadable: {error}") from None


def _asset(item: Listing, chain: str) -> Asset:
    place = f"{chain}/erc20:{item.token}"
    return Asset(
        item.asset_id, item.symbol, item.name, "token", item.sector, chain, item.platform,
        active_from=item.active_from, deployments=(place,),
    )  # fmt: skip


def _lines(body: Mapping[str, object], rows: Rows) -> Iterator[Line]:
    times = mapping(require(body, "times", "the document"), "times")
    for row, entry in enumerate(sequence(require(body, "logs", "the document"), "logs"), 1):
        try:
            yield _line(mapping(entry, "a log", row), times, row)
        except (ValueError, Malformed) as error:
            rows.reject(row, f"log was unreadable: {error}", str(entry))


def _line(entry: Mapping[str, object], times: Mapping[str, object], row: int) -> Line:
    topics = [bytes.fromhex(str(topic)) for topic in sequence(require(entry, "topics", "a log", row), "topics", row)]
    data = bytes.fromhex(str(require(entry, "data", "a log", row)))
    time = require(times, str(require(entry, "block", "a log", row)), "times", row)
    if not topics or not isinstance(time, int) or len(data) % 32:
        raise Malformed("a log had no topic, no time or a cut word", row)
    words = tuple(int.from_bytes(data[place : place + 32], "big") for place in range(0, len(data), 32))
    parties = tuple("0x" + topic[-20:].hex() for topic in topics[1:])
    return Line(row, time, str(require(entry, "address", "a log", row)), topics[0], parties, words)


@dataclass(frozen=True, slots=True)
class Point:
    """A pool right after a trade: both reserves, and the token's free and whole supply, all in base units."""

    line: Line
    token: int
    quote: int
    free: int
    whole: int


def _observe(item: Listing, lines: Iterable[Line], rows: Rows) -> None:
    """Writes what a token's logs say: an hour's last price, a day's volume and depth, and the supply at its end."""
    whole = held = 0
    volumes: dict[int, int] = {}
    hours: dict[int, Point] = {}
    for line in lines:
        made, kept = _supply(item, line)
        whole, held = whole + made, held + kept
        paid, reserves = _trade(item, line)
        volumes[line.time // DAY] = volumes.get(line.time // DAY, 0) + paid
        if reserves:
            hours[line.time // HOUR] = Point(line, *reserves, whole - held, whole)
    for point in hours.values():
        _price(item, point, rows)
    for day, point in {point.line.time // DAY: point for point in hours.values()}.items():
        _day(item, point, volumes[day], rows)


def _supply(item: Listing, line: Line) -> tuple[int, int]:
    """Returns by how much a log changes the whole supply, and what lies at held addresses."""
    if line.event != TRANSFER or line.address != item.token or len(line.parties) != 2 or len(line.words) != 1:
        return 0, 0
    (giver, taker), amount = line.parties, line.words[0]
    made = amount * ((giver == ZERO) - (taker == ZERO))
    return made, amount * ((taker in item.held) - (giver in item.held))


def _trade(item: Listing, line: Line) -> tuple[int, tuple[int, int] | None]:
    """Returns the quote units that a log traded, and the reserves (token, quote) that it tells of."""
    if line.address != item.pool:
        return 0, None
    words, first = line.words, int(item.token, 16) < int(item.quote, 16)
    if line.event == SWAPPED and len(words) == 6:
        return (words[1] if words[0] else words[2]), (words[4], words[5])
    if line.event == SYNC and len(words) == 2:
        return 0, ((words[0], words[1]) if first else (words[1], words[0]))
    if line.event == SWAP and len(words) == 4:
        return (words[1] + words[3] if first else words[0] + words[2]), None
    return 0, None


def _price(item: Listing, point: Point, rows: Rows) -> None:
    if point.token:
        price = point.quote * 10**item.decimals / (point.token * 10**item.quote_decimals)
        rows.add(item.asset_id, "price_usd", epoch(point.line.time, point.line.row), price, point.line.row)


def _day(item: Listing, point: Point, volume: int, rows: Rows) -> None:
    unit, dollar = 10**item.decimals, 10**item.quote_decimals
    values = {
        "volume_usd_24h": volume / dollar,
        "liquidity_usd": 2 * point.quote / dollar,
        "supply_onchain": point.free / unit,
        "supply_max": point.whole / unit,
    }
    for field, value in values.items():
        rows.add(item.asset_id, field, epoch(point.line.time, point.line.row), value, point.line.row)
