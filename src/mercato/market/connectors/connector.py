"""What a connector is: a plan of requests made from the universe, and the parsers that read the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from mercato.core.settings import Secret
from mercato.market.connectors.http import Limits
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import Asset


@dataclass(frozen=True, slots=True)
class Request:
    """One document to fetch. Plain text all through, so that a queue of them can be kept between runs.

    `options` go with the raw document to its parser. `marks` are what to remember once the document is committed:
    names, and how far each has been read. `notes` are for `follow` alone.
    """

    url: str
    parser: str
    params: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    accept: str = "application/json"
    marks: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Returns the request as it is kept with the raw document; it holds no key."""
        query = urlencode(self.params)
        return f"GET {self.url}{'?' + query if query else ''}"

    def packed(self) -> dict[str, Any]:
        """Returns the request as JSON values."""
        return asdict(self)

    @classmethod
    def unpacked(cls, value: Mapping[str, Any]) -> Request:
        """Returns a request from what `packed` gave."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Context:
    """What a plan is made from: the assets, what was read before (`marks`), the time, and how far back to go."""

    assets: Sequence[Asset]
    settings: SourceSettings
    now: datetime
    marks: Mapping[str, str] = field(default_factory=dict)
    since: date | None = None

    def ids(self, vendor: str) -> dict[str, str]:
        """Returns asset ids by the id that a vendor uses, sorted. Never by ticker."""
        return dict(sorted((asset.ids[vendor], asset.asset_id) for asset in self.assets if asset.ids.get(vendor)))


def no_follow(request: Request, content: bytes) -> Sequence[Request]:
    """Returns no further requests: what most answers call for."""
    return ()


@dataclass(frozen=True, slots=True)
class Connector:
    """One source. `account` is what limits, budget and circuit belong to: several sources may share one.

    One that is `on_request` is fetched when it is named, and never because it is due.
    """

    name: str
    account: str
    title: str
    licence: str
    every: timedelta
    plan: Callable[[Context], Sequence[Request]]
    limits: Callable[[SourceSettings], Limits]
    source: str = ""
    follow: Callable[[Request, bytes], Sequence[Request]] = no_follow
    secrets: Callable[[SourceSettings], Mapping[str, Secret]] = lambda settings: {}
    missing: Callable[[SourceSettings], str] = lambda settings: ""
    on_request: bool = False

    @property
    def observed_as(self) -> str:
        """Returns the source name that observations carry: connectors of one vendor share it."""
        return self.source or self.name


def pack_assets(ids: Mapping[str, str]) -> dict[str, str]:
    """Returns the `assets` option that tells a parser which vendor id is which asset."""
    return {"assets": json.dumps(dict(sorted(ids.items())), separators=(",", ":"))}


def chunks(values: Sequence[str], size: int) -> list[Sequence[str]]:
    """Returns the values in groups of at most `size`."""
    return [values[start : start + size] for start in range(0, len(values), size)]
