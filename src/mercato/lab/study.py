"""The study: what was registered before any held-out seed was run, read from a TOML file that is hashed as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from mercato.core.errors import InvalidInput

LONGEST = 100_000
MOST = 10**9


@dataclass(frozen=True, slots=True)
class Value:
    """How the common value (dollars, whole supply) and what people believe of it are drawn; sigmas of logarithms."""

    median: int
    sigma: float
    private_sigma: float
    announced_sigma: float
    announced_span: int


@dataclass(frozen=True, slots=True)
class People:
    """How order flow is drawn; units as the names in `study.toml` say."""

    immigrants: int
    children: float
    child_minutes: float
    waiting: float
    spike: float
    spike_hours: float
    crowd: float
    budget: int
    budget_sigma: float
    market: tuple[float, float]
    verified: float
    delay_seconds: tuple[float, float]
    delay_sigma: float
    check_hours: tuple[float, ...]
    check_sigma: float
    exits: float
    exit_hours: float
    momentum: float
    momentum_bps: int


@dataclass(frozen=True, slots=True)
class Search:
    """The training seeds, and how many parameter sets each adversary may try on them."""

    first_seed: int
    seeds: int
    points: int


@dataclass(frozen=True, slots=True)
class Study:
    """A registered study; `digest` is the SHA-256 of its file, in hex."""

    digest: str
    mechanisms: tuple[str, ...]
    adversaries: tuple[str, ...]
    first_seed: int
    seeds: int
    block: int
    search: Search
    people: People
    value: Value
    attacks: Mapping[str, tuple[Mapping[str, int], ...]]


def load(path: Path | None = None) -> Study:
    """Returns the study of a file, by default the registered one. InvalidInput where it is not one, and says why."""
    return parse(raw(path))


def raw(path: Path | None = None) -> bytes:
    """Returns a study's file as it is, by default the registered one. InvalidInput where it cannot be read."""
    try:
        return path.read_bytes() if path else files("mercato.lab").joinpath("study.toml").read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"the study {str(path)!r} could not be read: {error.strerror}", hint="a TOML file"
        ) from error


def parse(content: bytes) -> Study:
    """Returns the study that a file's bytes describe."""
    if len(content) > LONGEST:
        raise InvalidInput(f"the study was {len(content)} bytes long", hint=f"at most {LONGEST} are read")
    try:
        read = tomllib.loads(content.decode())
    except ValueError as error:
        raise InvalidInput(f"the study was not TOML: {error}", hint="start from the registered study.toml") from error
    parts = {"search": Search, "people": People, "value": Value}
    made: dict[str, Any] = {name: _part(name, kind, read.pop(name, None)) for name, kind in parts.items()}
    made["attacks"] = {name: _grid(name, axes) for name, axes in _table(read.pop("attacks", None)).items()}
    study: Study = _part("study", Study, {"digest": sha256(content).hexdigest(), **read, **made})
    return _sound(study)


def _grid(name: str, axes: Any) -> tuple[Mapping[str, int], ...]:
    """Returns every combination of an attack's axes, the last axis fastest."""
    for axis, values in _table(axes).items():
        if not isinstance(values, list) or not all(type(value) is int and 0 <= value < MOST for value in values):
            raise InvalidInput(f"[attacks.{name}] {axis} was {values!r}", hint="axes are lists of whole numbers")
    return tuple(dict(zip(axes, point, strict=True)) for point in product(*axes.values()))


def _table(read: Any) -> dict[str, Any]:
    if not isinstance(read, dict):
        raise InvalidInput(f"[attacks] was {read!r}", hint="start from the registered study.toml")
    return read


def _part(name: str, kind: Any, read: Any) -> Any:
    if not isinstance(read, dict):
        raise InvalidInput(f"[{name}] was {read!r}", hint="start from the registered study.toml")
    wanted = {field.name for field in fields(kind)}
    if wrong := sorted(wanted ^ set(read)):
        raise InvalidInput(f"[{name}] was without or with unknown {wrong!r}", hint=f"it has {sorted(wanted)}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}
    for field in fields(kind):
        if not _fits(values[field.name], str(field.type)):
            raise InvalidInput(
                f"[{name}] {field.name} was {values[field.name]!r}", hint=f"it is {field.type}, positive"
            )
    return kind(**values)


def _fits(value: Any, kind: str) -> bool:
    """Returns whether a value is of an annotated type; numbers lie between 0 and a billion."""
    if kind.startswith("tuple["):
        inside = kind.removeprefix("tuple[").split(",")
        counted = inside[-1] == " ...]" or (isinstance(value, tuple) and len(value) == len(inside))
        return isinstance(value, tuple) and counted and all(_fits(item, inside[0]) for item in value)
    if kind in ("int", "float"):
        return type(value) in (int, {"int": int, "float": float}[kind]) and 0 <= value < MOST
    return kind != "str" or isinstance(value, str)


def _sound(study: Study) -> Study:
    people = study.people
    if people.children >= 1 or people.immigrants > 100_000 or study.block < 1:
        hint = "children lies below 1, immigrants at 100000 at most, block at 1 at least"
        raise InvalidInput(f"they were {people.children!r}, {people.immigrants!r}, {study.block!r}", hint=hint)
    for name, grid in study.attacks.items():
        if len(grid) != study.search.points:
            hint = f"every attack has {study.search.points} combinations: budgets of search are equal"
            raise InvalidInput(f"[attacks.{name}] had {len(grid)!r} combinations", hint=hint)
    return study
