"""Labels texts with narratives: entities first, then the nearest prototype, and no label where neither is sure.

The embedding hashes the character n-grams of each word (never across words, so `farther` is not about a coin) with
CRC-32 into a fixed number of signed dimensions. Nothing is downloaded and nothing is random: the same text and the
same version give the same labels on every machine.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from mercato.core.errors import NotFound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

CURRENT = "narratives/1"
GRAMS = (3, 4, 5)
LONGEST_TEXT = 10_000  # characters looked at; posts are shorter, articles say early what they are about

_URL = re.compile(r"https?://\S+|www\.\S+")
_HANDLE = re.compile(r"(?<![\w@])@([A-Za-z0-9_.\-]{2,64})")
_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z][A-Za-z0-9]{1,14})\b")
_ADDRESS = re.compile(r"\b(?:0x[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})\b")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Entity:
    """A project that a text can name for certain, and the narratives that such a text is about."""

    id: str
    cashtags: frozenset[str]
    names: tuple[str, ...]
    handles: frozenset[str]
    addresses: frozenset[str]
    labels: Mapping[str, float]


class Classifier:
    """One version of the rules. `narratives` are the labels it can give."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        import numpy as np

        self.version = str(rules["version"])
        self._dimensions = int(rules["dimensions"])
        self._threshold, self._lead, self._share = (float(rules[key]) for key in ("threshold", "lead", "share"))
        self.entities = tuple(_entity(item) for item in rules.get("entity", ()))
        self.narratives = tuple(str(item["id"]) for item in rules["narrative"])
        groups = [list(item["examples"]) for item in rules["narrative"]]
        everyday = list(rules["background"]["examples"])
        self._rarity = self._learn_rarity([text for group in [*groups, everyday] for text in group])
        self._prototypes = np.stack([self._prototype(group) for group in groups])
        self._everyday = self._prototype(everyday)

    def labels(self, text: str) -> dict[str, float]:
        """Returns narrative weights that sum to at most 1; an empty mapping where the text is about none of them."""
        text = text[:LONGEST_TEXT]
        named = self.named(text)
        if named:
            return _normalised(_added(entity.labels for entity in named))
        return self._nearest(text)

    def named(self, text: str) -> list[Entity]:
        """Returns the entities that a text names by address, by account, or by cashtag together with their name."""
        addresses = {_folded_address(found) for found in _ADDRESS.findall(text)}
        handles = {found.lower().rstrip(".-") for found in _HANDLE.findall(text)}
        cashtags = {found.upper() for found in _CASHTAG.findall(text)}
        plain = " ".join(_CASHTAG.sub(" ", _folded(text)).split())
        return [item for item in self.entities if _names(item, addresses, handles, cashtags, plain)]

    def is_official(self, author: str) -> bool:
        """Returns whether an account speaks for one of the entities."""
        return any(author.lower().lstrip("@") in item.handles for item in self.entities)

    def similarities(self, text: str) -> tuple[dict[str, float], float]:
        """Returns the similarity (-1 to 1) to each narrative, and to everyday talk."""
        vector = self._embedded(text)
        near = [round(float(value), 9) for value in self._prototypes @ vector]  # alike on every linear algebra library
        return dict(zip(self.narratives, near, strict=True)), round(float(self._everyday @ vector), 9)

    def _nearest(self, text: str) -> dict[str, float]:
        near, everyday = self.similarities(text)
        best = max(near.values())
        if best < self._threshold or best < self._lead * everyday:
            return {}
        winners = {name: value for name, value in near.items() if value >= self._share * best}
        family = {name: winners[name] for name in ("AI", "DeFi", "DeFAI") if name in winners}
        if "DeFAI" in family:  # its own narrative: a text is about it or about its parents, never both
            nearest = max(family, key=lambda name: (family[name], name))
            dropped = {"AI", "DeFi"} if nearest == "DeFAI" else {"DeFAI"}
            winners = {name: value for name, value in winners.items() if name not in dropped}
        return _normalised(winners)

    def _learn_rarity(self, texts: Sequence[str]) -> Vector:
        import numpy as np

        seen = np.zeros(self._dimensions)
        for text in texts:
            seen += self._counted(text) != 0
        rarity: Vector = np.log((1 + len(texts)) / (1 + seen))
        return rarity

    def _prototype(self, texts: Sequence[str]) -> Vector:
        import numpy as np

        mean = np.mean([self._embedded(text) for text in texts], axis=0)
        prototype: Vector = mean / np.linalg.norm(mean)
        return prototype

    def _embedded(self, text: str) -> Vector:
        import numpy as np

        vector = self._counted(text) * self._rarity
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector

    def _counted(self, text: str) -> Vector:
        import numpy as np

        counts = Counter(gram for word in _words(text) for gram in _grams(word))
        vector = np.zeros(self._dimensions)
        for gram, times in counts.items():
            place = zlib.crc32(gram.encode())
            sign = 1.0 if place & 0x8000_0000 else -1.0
            vector[place % self._dimensions] += sign * (1 + np.log(times))
        return vector


@cache
def classifier(version: str = CURRENT) -> Classifier:
    """Returns the classifier of that version; NotFound where this release does not hold it."""
    rules = tomllib.loads(resources.files(__package__).joinpath("narratives.toml").read_text(encoding="utf-8"))
    if rules["version"] != version:
        raise NotFound(f"classifier was {version!r}, which is unknown", hint=f"this release holds {rules['version']!r}")
    return Classifier(rules)


def labels_of_flags(flags: Iterable[str]) -> dict[str, float]:
    """Returns weights from a source's own yes/no flags, such as keyword marks: equal parts, AI with DeFi is DeFAI."""
    names = set(flags)
    if {"AI", "DeFi"} <= names or "DeFAI" in names:
        names = (names - {"AI", "DeFi"}) | {"DeFAI"}
    return _normalised(dict.fromkeys(sorted(names), 1.0))


def _entity(item: Mapping[str, Any]) -> Entity:
    return Entity(
        id=str(item["id"]),
        cashtags=frozenset(str(tag).upper() for tag in item["cashtags"]),
        names=tuple(str(name).casefold() for name in item["names"]),
        handles=frozenset(str(handle).lower() for handle in item["handles"]),
        addresses=frozenset(_folded_address(str(address)) for address in item["addresses"]),
        labels={str(name): float(weight) for name, weight in item["labels"].items()},
    )


def _names(item: Entity, addresses: set[str], handles: set[str], cashtags: set[str], plain: str) -> bool:
    if item.addresses & addresses or item.handles & handles:
        return True
    return bool(item.cashtags & cashtags) and any(
        re.search(rf"(?<!\w){re.escape(name)}(?!\w)", plain) for name in item.names
    )


def _folded_address(address: str) -> str:
    """Returns hexadecimal addresses in lower case (their case is a checksum); base58 ones as they are."""
    return address.lower() if address.startswith(("0x", "0X")) else address


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _words(text: str) -> list[str]:
    """Returns the words of a text without links, accounts and addresses, which say who, not what about."""
    for pattern in (_URL, _HANDLE, _ADDRESS, _CASHTAG):
        text = pattern.sub(" ", text)
    return _WORD.findall(_folded(text))


def _grams(word: str) -> Iterable[str]:
    """Returns the character n-grams of one padded word, and the word itself twice, so that whole words weigh more."""
    padded = f"^{word}$"
    yield from (padded, padded)
    for size in GRAMS:
        yield from (padded[start : start + size] for start in range(len(padded) - size + 1))


def _added(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for name, weight in part.items():
            total[name] = total.get(name, 0.0) + weight
    return total


def _normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Returns the weights in millionths that sum to at most 1, so that adding them up never passes 1."""
    total = sum(weights.values())
    return {name: int(1_000_000 * weight / total + 1e-6) / 1_000_000 for name, weight in weights.items() if weight > 0}
