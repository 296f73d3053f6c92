"""Anything else on a chain: reading a view function by its ABI, calling any function, several calls as one intent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mercato.chains import Address, Call, Interface, keccak
from mercato.chains.errors import BadAnswer, BadCall, Reverted
from mercato.chains.model import ZERO
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import ask
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import Plan, Step

ACTIONS = Catalogue()
TO = Argument("to", "address", "The contract.")
ABI = Argument("abi", "object", "The function's ABI entry, as a compiler prints it.")
ARGUMENTS = Argument("arguments", "list", "Its arguments; large whole numbers as text.", [], optional=True)
STEPS = 16
ENS = Address("0x00000000000c2e074ec69a0dfb2997ba6c7d2e1e")  # on Ethereum
_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_REGISTRY = interface("resolver(bytes32) view returns (address)")
_RESOLVER = interface("addr(bytes32) view returns (address)")


@ACTIONS.reading("read", "Asks any view function of a contract, by its ABI.", TO, ABI, ARGUMENTS)
def read(ground: Ground, to: Address, abi: Mapping[str, Any], arguments: list[Any]) -> Json:
    """Returns what the function answers; whole numbers and bytes are text."""
    of, name = _function(abi)
    try:
        data = ground.chain.call(Call(ground.account, to, of.encode(name, *_values(abi, arguments)), gas=10_000_000))
        return {"answer": _json(of.decode(name, data))}
    except (Reverted, BadAnswer) as error:
        raise BadArgument(f"{name!r} of {to} does not answer: {error.message[:160]}", hint="see its ABI") from None


@ACTIONS.action(
    "call", "Calls any function of a contract, by its ABI.", TO, ABI, ARGUMENTS,
    Argument("value", "units", "How much money goes with it, in wei.", "0", optional=True),
    effects="whatever the dry run finds; the policy has to permit all of it",
)  # fmt: skip
def call(ground: Ground, to: Address, abi: Mapping[str, Any], arguments: list[Any], value: int) -> Plan:
    """Returns the call."""
    of, name = _function(abi)
    return Plan((Step(f"Call {name[:40]}", to, of.encode(name, *_values(abi, arguments)), value),))


@ACTIONS.action(
    "batch", "Makes several calls as one intent: tried, judged and reserved together, sent one after the other.",
    Argument("calls", "list", "Objects with `to`, `data` (0x text) and `value` (wei as text)."),
    effects="whatever the dry run of all of them finds; one that fails stops those after it",
)  # fmt: skip
def batch(ground: Ground, calls: list[Any]) -> Plan:
    """Returns each call as a step."""
    parts = (TO, Argument("data", "hex", "The call's data.", "0x", optional=True), call_value())
    if not 0 < len(calls) <= STEPS or not all(isinstance(item, Mapping) for item in calls):
        raise BadArgument(f"calls were {calls!r:.120}", hint=f"expected 1 to {STEPS} objects with to, data and value")
    steps = []
    for place, item in enumerate(calls, start=1):
        to, data, value = (part.read(item.get(part.name, part.default)) for part in parts)
        steps.append(Step(f"Call {place}", to, data, value))
    return Plan(tuple(steps))


@ACTIONS.reading(
    "resolve-name", "Tells which address a name of ENS stands for.",
    Argument("name", "text", "The name, such as vitalik.eth: letters, digits and hyphens."),
    Argument("registry", "address", "The registry's contract.", ENS, optional=True),
)  # fmt: skip
def resolve_name(ground: Ground, name: str, registry: Address) -> Json:
    """Returns the address; BadArgument where the name has none. Names beyond ASCII are refused: many look alike."""
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise BadArgument(
            f"name was {name!r:.80}", hint="expected small letters, digits and hyphens, with dots between"
        )
    node = bytes(32)
    for label in reversed(name.split(".")):
        node = keccak(node + keccak(label.encode()))
    resolver = Address(ask(ground.chain, registry, _REGISTRY, "resolver", node))
    found = Address(ask(ground.chain, resolver, _RESOLVER, "addr", node)) if resolver != ZERO else ZERO
    if found == ZERO:
        raise BadArgument(f"name was {name!r}, which stands for no address", hint="check its spelling")
    return {"name": name, "address": found}


def call_value() -> Argument:
    """Returns the argument of the money that goes with a call."""
    return Argument("value", "units", "How much money goes with it, in wei.", "0", optional=True)


def _function(abi: Mapping[str, Any]) -> tuple[Interface, str]:
    if abi.get("type", "function") != "function" or not isinstance(abi.get("name"), str):
        raise BadArgument(f"abi was {abi!r:.120}", hint="expected the entry of one function")
    if not all(isinstance(item, Mapping) and isinstance(item.get("type"), str) for item in abi.get("inputs", ())):
        raise BadArgument(f"abi was {abi!r:.120}", hint="every input needs a type")
    return Interface([abi]), str(abi["name"])


def _values(abi: Mapping[str, Any], given: list[Any]) -> list[Any]:
    kinds = [str(item["type"]) for item in abi.get("inputs", ())]
    if len(kinds) != len(given):
        raise BadArgument(f"arguments were {given!r:.120}", hint=f"the function takes {len(kinds)}")
    try:
        return [_value(kind, item) for kind, item in zip(kinds, given, strict=True)]
    except (ValueError, BadCall):
        raise BadArgument(f"arguments were {given!r:.120}", hint=f"expected {', '.join(kinds)}") from None


def _value(kind: str, given: Any) -> Any:
    """Returns JSON as the ABI takes it: whole numbers and bytes may be text."""
    if isinstance(given, list):
        return [_value(kind.rpartition("[")[0], item) for item in given]
    if kind.startswith(("uint", "int")) and isinstance(given, str):
        return int(given)
    if kind.startswith("bytes") and isinstance(given, str):
        return bytes.fromhex(given.removeprefix("0x"))
    return given


def _json(value: Any) -> Json:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
