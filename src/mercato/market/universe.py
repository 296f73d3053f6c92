"""Who is who: the universe file that ships with the package, and assets that imports bring.

A universe file is TOML: `version`, then one `[[asset]]` per asset. Its version and content hash are part of every
figure's inputs, because another universe gives another sum.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from mercato.core.errors import InvalidInput
from mercato.market.model import Asset, Kind

REQUIRED = ("asset_id", "symbol", "name", "kind")
TEXT = ("asset_id", "symbol", "name", "kind", "sector", "home_chain", "platform", "wraps")
OPTIONAL = ("active_from", "active_to", "deployments", "ids")
KINDS = get_args(Kind)
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Migration:
    """One asset that became another: `units` of the new one for one of the old, from a day on (market.md M4)."""

    old: str
    new: str
    units: str
    day: date
    source: str = ""


@dataclass(frozen=True)
class Universe:
    """Assets by id, and the migrations between them. `version` names the file, `hash` covers every fact in it."""

    version: str
    assets: Mapping[str, Asset]
    migrations: tuple[Migration, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Returns a hash of the facts, whatever their order."""
        lines = sorted(repr((item, sorted(item.ids.items()))) for item in self.assets.values())
        return hashlib.sha256("\n".join([self.version, *lines, *map(repr, self.migrations)]).encode()).hexdigest()

    @property
    def symbols(self) -> dict[str, tuple[str, ...]]:
        """Returns the ids behind each ticker, in upper case; more than one id is a clash."""
        found: dict[str, list[str]] = {}
        for item in self.assets.values():
            found.setdefault(item.symbol.upper(), []).append(item.asset_id)
        return {symbol: tuple(sorted(ids)) for symbol, ids in found.items()}

    def over(self, overlays: Iterable[Asset]) -> Universe:
        """Returns this universe with later facts laid over it; InvalidInput where `wraps` would not make sense."""
        merged = {**self.assets, **{item.asset_id: item for item in overlays}}
        require_wraps(merged)
        return Universe(self.version, merged, self.migrations)


@cache
def shipped() -> Universe:
    """Returns the universe that ships with this version of the package."""
    text = files("mercato.market").joinpath("universe.toml").read_text(encoding="utf-8")
    body = tomllib.loads(text)
    known = read_assets(body, "universe.toml")
    moves = tuple(_migration(entry, place) for place, entry in enumerate(body.get("migration", ()), 1))
    universe = Universe(str(body["version"]), {item.asset_id: item for item in known}, moves)
    require_wraps(universe.assets)
    return universe


def _migration(entry: Mapping[str, Any], place: int) -> Migration:
    try:
        return Migration(entry["old"], entry["new"], str(entry["units"]), entry["day"], entry.get("source", ""))
    except KeyError as error:
        raise InvalidInput(f"migration {place} lacks {error.args[0]!r}", hint="give old, new, units and day") from None


def load_assets(path: Path) -> list[Asset]:
    """Returns the assets of a TOML file; InvalidInput names the entry and the field that was wrong."""
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"assets file {path.name!r} was not readable as TOML: {error}") from None
    except OSError as error:
        raise InvalidInput(f"assets file was {str(path)!r}, which cannot be read: {error.strerror}") from None
    return read_assets(body, path.name)


def read_assets(body: Mapping[str, Any], file: str) -> list[Asset]:
    """Returns the assets of a parsed file: an array `[[asset]]` or `[[assets]]`."""
    entries = body.get("asset", body.get("assets"))
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidInput(
            f"assets file {file!r} has no [[asset]] entries", hint="write one [[asset]] table for each asset"
        )
    found: dict[str, Asset] = {}
    for place, entry in enumerate(entries, 1):
        where = f"{file}: asset {place} ({entry.get('asset_id', 'without asset_id')!r})"
        item = _asset(entry, where)
        if item.asset_id in found:
            raise InvalidInput(f"{where}: asset_id appeared twice", hint="give each asset one entry")
        found[item.asset_id] = item
    return list(found.values())


def _asset(entry: Mapping[str, Any], where: str) -> Asset:
    if unknown := sorted(set(entry) - set(TEXT) - set(OPTIONAL)):
        valid = ", ".join(TEXT + OPTIONAL)
        raise InvalidInput(f"{where}: field {unknown[0]!r} is unknown", hint=f"valid fields: {valid}")
    for name in REQUIRED:
        if not entry.get(name):
            raise InvalidInput(f"{where}: field {name!r} is missing", hint=f"needed are {', '.join(REQUIRED)}")
    for name in TEXT:
        _require_text(entry.get(name, ""), name, where)
    if entry["kind"] not in KINDS:
        raise InvalidInput(f"{where}: kind was {entry['kind']!r}", hint=f"valid kinds: {', '.join(KINDS)}")
    return Asset(
        **{name: entry.get(name, "") for name in TEXT},
        active_from=_day(entry, "active_from", where),
        active_to=_day(entry, "active_to", where),
        deployments=tuple(_texts(entry.get("deployments", []), "deployments", where)),
        ids=_table(entry.get("ids", {}), where),
    )


def _require_text(value: object, name: str, where: str) -> None:
    if not isinstance(value, str) or len(value) > LONGEST or any(ord(letter) < 32 for letter in value):
        raise InvalidInput(f"{where}: {name} was {value!r}", hint=f"expected text of at most {LONGEST} characters")


def _day(entry: Mapping[str, Any], name: str, where: str) -> date | None:
    value = entry.get(name)
    try:
        return date.fromisoformat(value) if isinstance(value, str) and value else value or None
    except ValueError:
        raise InvalidInput(f"{where}: {name} was {value!r}", hint="expected a date such as 2025-01-31") from None


def _texts(value: object, name: str, where: str) -> Sequence[str]:
    if not isinstance(value, list):
        raise InvalidInput(f"{where}: {name} was {value!r}", hint="expected a list of texts")
    for item in value:
        _require_text(item, name, where)
    return value


def _table(value: object, where: str) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: ids was {value!r}", hint="expected a table of vendor = id")
    for item in value.values():
        _require_text(item, "ids", where)
    return value


def require_wraps(assets: Mapping[str, Asset]) -> None:
    """Raises InvalidInput where an asset wraps one that does not exist, or wraps itself through others."""
    for item in assets.values():
        seen, at = [item.asset_id], item
        while at.wraps:
            if at.wraps in seen:
                raise InvalidInput(
                    f"asset {item.asset_id!r} wraps itself through {' -> '.join([*seen, at.wraps])}",
                    hint="the last of a chain of wrapped assets wraps nothing",
                )
            if at.wraps not in assets:
                raise InvalidInput(
                    f"asset {at.asset_id!r} wraps {at.wraps!r}, which does not exist", hint="add the wrapped asset too"
                )
            at = assets[at.wraps]
            seen.append(at.asset_id)


def as_row(item: Asset) -> dict[str, object]:
    """Returns an asset as plain values for JSON."""
    row: dict[str, object] = {field.name: getattr(item, field.name) for field in fields(item)}
    days = {name: value.isoformat() for name, value in row.items() if isinstance(value, date)}
    return {**row, **days, "deployments": list(item.deployments), "ids": dict(item.ids)}
