"""Amounts of assets in words: what a policy calls them, whole units, and what nobody knows the decimals of.

Decimals come from the policy, never from the token: a token may say anything of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mercato.core.errors import InvalidInput
from mercato.core.money import LIMIT
from mercato.core.numerals import MINUS

#: The chains' own money, by the end of its CAIP-19 name: what it is called, and its decimals.
COINS = {"slip44:60": ("ETH", 18), "slip44:501": ("SOL", 9)}
ANY = LIMIT - 1  # what a policy writes as "any"


@dataclass
class Units:
    """What assets are called and how many decimals they have, as policies said: the newest one that names an asset."""

    titles: dict[str, str] = field(default_factory=dict)
    decimals: dict[str, int] = field(default_factory=dict)

    def learn(self, policy: Mapping[str, Any]) -> Units:
        """Takes the assets of a policy's source in."""
        for title, item in policy.get("assets", {}).items():
            name = _named(str(item["id"]))
            self.titles[name], self.decimals[name] = title, int(item["decimals"])
        return self

    def title(self, asset: str) -> str:
        """Returns what people call an asset; its own name where no policy knows it."""
        coin = COINS.get(asset.partition("/")[2])
        return self.titles.get(asset) or (coin[0] if coin else asset.partition("/")[2] or asset)

    def contract(self, address: str) -> str:
        """Returns a contract's address, with what people call its asset where a policy knows it."""
        title = next((title for asset, title in self.titles.items() if asset.endswith(f":{address}")), "")
        return f"{address} ({title})" if title else address

    def places(self, asset: str) -> int | None:
        """Returns the decimals of an asset; None where they are not known."""
        name = asset.partition("/")[2]
        if name.startswith("erc721:"):
            return 0  # one of a kind
        coin = COINS.get(name)
        return self.decimals.get(asset, coin[1] if coin else None)

    def whole(self, asset: str, units: int) -> str | None:
        """Returns base units as exact whole units, such as `-1.25`; None where the decimals are not known."""
        places = self.places(asset)
        return None if places is None else exact(units, places)

    def amount(self, asset: str, units: int) -> str:
        """Returns an amount for people: `1,234.5 USD`, or so many base units of an asset that no policy knows."""
        if units >= ANY:
            return f"any amount of {self.title(asset)}"
        whole = self.whole(asset, units)
        if whole is None:
            return f"{spaced(str(units))} base units of {self.title(asset)}"
        return f"{spaced(whole)} {self.title(asset)}"


def exact(units: int, places: int) -> str:
    """Returns base units as whole units to the last digit: (-1250000, 6) -> `-1.25`."""
    whole, part = divmod(abs(units), 10**places)
    rest = f"{part:0{places}d}".rstrip("0") if part else ""
    return f"{'-' if units < 0 else ''}{whole}{'.' + rest if rest else ''}"


def spaced(text: str) -> str:
    """Returns a number as people read it: `-1234.5` -> `−1,234.5`."""
    whole, point, part = text.partition(".")
    return f"{int(whole):,}".replace("-", MINUS) + point + part if whole != "-0" else f"{MINUS}0{point}{part}"


def dollars(micro: int | None) -> str:
    """Returns micro-dollars for people, cut to the cent: `−$12.34`; `unknown` for None."""
    if micro is None:
        return "unknown"
    cents = abs(micro) // 10_000
    small = abs(micro) if 0 < abs(micro) < 10_000 else 0
    sign = MINUS if micro < 0 else ""
    return f"{sign}${exact(small, 6)}" if small else f"{sign}${cents // 100:,}.{cents % 100:02d}"


def plain(text: str, most: int = 200) -> str:
    """Returns text from outside as it may be shown: signs that move or hide other signs become dots, and it is cut."""
    shown = "".join(sign if sign.isprintable() else " " if sign in "\r\n\t" else "·" for sign in text[: most + 1])
    return shown if len(shown) <= most else shown[:most] + "…"


def _named(text: str) -> str:
    from mercato.core.chain import Asset

    try:
        return str(Asset.parse(text))
    except InvalidInput:  # of a policy of another release
        return text
