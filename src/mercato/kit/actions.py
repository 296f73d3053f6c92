"""What an action is: one definition, from which come its checks, its JSON Schema, its help and its tools.

    @action("transfer", "Sends a token to somebody.", ADDRESS("token", "the token's contract"), ..., effects="…")
    def transfer(ground: Ground, token: Address, to: Address, amount: int) -> Plan: ...

An action turns arguments into a plan, or, where it only reads, into JSON. It never signs and never sends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from mercato.chains import Address, Chain
from mercato.chains.addresses import address as checked_address
from mercato.chains.solana import base58
from mercato.core.errors import InvalidInput
from mercato.core.events import Json
from mercato.kit.errors import BadArgument
from mercato.kit.model import Plan

Run = TypeVar("Run", bound=Callable[..., Any])
U256 = 2**256
OCTETS = 60_000  # of one text
_WHOLE = re.compile(r"0|[1-9][0-9]{0,77}")


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an action on an EVM chain happens: the chain, and the account that acts."""

    chain: Chain
    account: Address


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its kind, what it means and in which unit, and its default where it may be left out."""

    name: str
    kind: str
    says: str
    default: Json = None
    optional: bool = False

    def schema(self) -> dict[str, Any]:
        """Returns the argument's JSON Schema."""
        shapes: dict[str, dict[str, Any]] = {
            "address": {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
            "base58": {"type": "string", "pattern": "^[1-9A-HJ-NP-Za-km-z]{32,44}$"},
            "units": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,77})$"},
            "whole": {"type": "integer", "minimum": 0},
            "hex": {"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"},
            "text": {"type": "string", "maxLength": OCTETS},
            "flag": {"type": "boolean"},
            "object": {"type": "object"},
            "list": {"type": "array"},
        }
        more = {"default": self.default} if self.optional and self.default is not None else {}
        return {**shapes[self.kind], "description": self.says, **more}

    def read(self, value: object) -> Any:
        """Returns the argument as the action takes it; BadArgument where it cannot be right."""
        readers: dict[str, Callable[[object], Any]] = {
            "address": _address, "base58": _key, "units": _units, "whole": _small, "hex": _octets, "text": _text,
            "flag": lambda item: item if isinstance(item, bool) else None,
            "object": lambda item: item if isinstance(item, Mapping) else None,
            "list": lambda item: item if isinstance(item, list) else None,
        }  # fmt: skip
        found = readers[self.kind](value)
        if found is None:
            raise BadArgument(f"{self.name} was {value!r:.120}", hint=f"{self.says}; {self.kind}")
        return found


@dataclass(frozen=True, slots=True)
class Action:
    """An action by its name. `effects` says in words what it does to the account; `reads` are those that do nothing."""

    name: str
    says: str
    effects: str
    arguments: tuple[Argument, ...]
    run: Callable[..., Any]
    reads: bool = False

    def schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of the arguments."""
        return {
            "type": "object",
            "properties": {item.name: item.schema() for item in self.arguments},
            "required": [item.name for item in self.arguments if not item.optional],
            "additionalProperties": False,
        }

    def checked(self, given: Mapping[str, Json]) -> dict[str, Any]:
        """Returns the arguments as the action takes them; BadArgument names the one that is wrong."""
        names = {item.name for item in self.arguments}
        if unknown := sorted(set(given) - names):
            raise BadArgument(f"argument was {unknown[0]!r:.80}", hint=f"{self.name} takes: {', '.join(sorted(names))}")
        found = {}
        for item in self.arguments:
            if item.name not in given and not item.optional:
                raise BadArgument(f"{item.name} was not given", hint=f"{item.says}; {item.kind}")
            value = given.get(item.name, item.default)
            found[item.name] = None if value is None and item.optional else item.read(value)
        return found

    def plan(self, ground: object, given: Mapping[str, Json]) -> Plan:
        """Returns what an intent comes to; BadArgument for an action that only reads."""
        if self.reads:
            raise BadArgument(f"action was {self.name!r}, which only reads", hint="there is nothing to plan or sign")
        made = self.run(ground, **self.checked(given))
        assert isinstance(made, Plan), "an action that acts returns a plan"
        return made

    def answer(self, ground: object, given: Mapping[str, Json]) -> Json:
        """Returns what an action that reads has to say."""
        if not self.reads:
            raise BadArgument(f"action was {self.name!r}, which acts", hint="plan it, or let the kit act")
        found: Json = self.run(ground, **self.checked(given))
        return found


class Adds(Protocol):
    """What adds a function to a catalogue, and leaves it as it is."""

    def __call__(self, run: Run) -> Run:
        """Adds the function."""


class Catalogue(dict[str, Action]):
    """Actions by name."""

    def action(self, name: str, says: str, *arguments: Argument, effects: str) -> Adds:
        """Adds what it decorates, a function from arguments to a plan."""
        return self._adds(name, says, arguments, effects, reads=False)

    def reading(self, name: str, says: str, *arguments: Argument) -> Adds:
        """Adds what it decorates, a function from arguments to JSON."""
        return self._adds(name, says, arguments, "none: it reads", reads=True)

    def named(self, name: str) -> Action:
        """Returns an action; BadArgument names those that there are."""
        if name not in self:
            raise BadArgument(f"action was {name!r:.80}", hint=f"known: {', '.join(sorted(self))}")
        return self[name]

    def _adds(self, name: str, says: str, arguments: tuple[Argument, ...], effects: str, *, reads: bool) -> Adds:
        def adds(run: Run) -> Run:
            assert name not in self, f"the action {name!r} is there twice"
            self[name] = Action(name, says, effects, arguments, run, reads)
            return run

        return adds


def _address(value: object) -> Address | None:
    try:
        return checked_address(value) if isinstance(value, str) else None
    except InvalidInput:
        return None


def _key(value: object) -> str | None:
    try:
        return value if isinstance(value, str) and base58.decode(value, 32) else None
    except InvalidInput:
        return None


def _units(value: object) -> int | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    number = int(text) if isinstance(text, str) and _WHOLE.fullmatch(text) else None
    return number if number is not None and number < U256 else None


def _small(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64 else None


def _octets(value: object) -> bytes | None:
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > 2 * OCTETS:
        return None
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and len(value.encode()) <= OCTETS else None
