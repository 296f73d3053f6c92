"""Speaking to contracts: arguments and results by an ABI, events out of logs, and deploying.

    token = deploy(chain, artifact.abi, artifact.bytecode, sender=ACCOUNTS[0])
    token.send("transfer", to, 10**6, sender=ACCOUNTS[0])
    token.read("balanceOf", to)                                  10**6

Whole numbers are int, bytes are bytes, addresses are lower-case `Address`, structs and several results are tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mercato.chains.addresses import create2_address, create_address, keccak
from mercato.chains.errors import BadAnswer, BadCall, Reverted
from mercato.chains.model import ZERO, Address, Call, Chain, Log, Receipt

__all__ = ["Deployed", "Event", "Interface", "create2_address", "create_address", "deploy", "keccak"]


@dataclass(frozen=True, slots=True)
class Event:
    """A log in words: the event's name and its values by their names; an indexed text or array is only its hash."""

    name: str
    values: dict[str, Any]
    log: Log


@dataclass(frozen=True)
class _Entry:
    """A function, event or error of an ABI with its canonical types; what follows from them is worked out once."""

    name: str
    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[str, ...]
    anonymous: bool = False

    @cached_property
    def types(self) -> tuple[str, ...]:
        return tuple(_type(part) for part in self.inputs)

    @cached_property
    def signature(self) -> str:
        return f"{self.name}({','.join(self.types)})"

    @cached_property
    def selector(self) -> bytes:
        return keccak(self.signature.encode())[:4]

    @cached_property
    def topic(self) -> bytes:
        return keccak(self.signature.encode())


class Interface:
    """What a contract understands, by its ABI: a sequence of JSON values as a compiler prints it."""

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        self.abi = tuple(abi)

    def encode(self, function: str, *args: object) -> bytes:
        """Returns the call data; BadCall where the function is unknown or the arguments do not fit.

        An overloaded function is chosen by its number of arguments, or named in full: `bid(uint16,uint256)`.
        """
        entry = self._function(function, len(args))
        return entry.selector + _encode(entry, args)

    def decode(self, function: str, data: bytes, count: int | None = None) -> Any:
        """Returns what a function gave back: None, one value, or a tuple of several.

        `count`, its number of arguments, tells overloads apart that answer differently.
        """
        entry = self._function(function, count)
        values = _decode(entry.outputs, data, f"answer of {entry.signature}")
        return values[0] if len(values) == 1 else values or None

    def arguments(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Returns the function's signature and its arguments by name, out of call data; BadCall where it has none."""
        entry = self._selectors.get(data[:4])
        if entry is None:
            raise BadCall(f"call data begins with 0x{data[:4].hex()}", hint=f"known: {_known(self._functions)}")
        return entry.signature, _named(entry.inputs, _decode(entry.types, data[4:], f"call of {entry.signature}"))

    def construct(self, bytecode: bytes, *args: object) -> bytes:
        """Returns the code that creates the contract with these arguments of its constructor."""
        made = [part for part in self.abi if part.get("type") == "constructor"]
        inputs = tuple(made[0].get("inputs", ())) if made else ()
        return bytecode + _encode(_Entry("constructor", inputs, ()), args)

    def event(self, log: Log) -> Event | None:
        """Returns a log in words; None where it is no event of this interface."""
        entry = self._topics.get(log.topics[0]) if log.topics else None
        if entry is None:
            return None
        indexed = [part for part in entry.inputs if part.get("indexed")]
        plain = [part for part in entry.inputs if not part.get("indexed")]
        if len(indexed) != len(log.topics) - 1:
            return None  # the same signature with other places of `indexed`, as ERC-20 and ERC-721 have for Transfer
        kinds = [_type(part) if _fits_a_word(_type(part)) else "bytes32" for part in indexed]
        what = f"event {entry.signature}"
        found = _named(indexed, _decode(kinds, b"".join(log.topics[1:]), what))
        found |= _named(plain, _decode([_type(part) for part in plain], log.data, what))
        return Event(entry.name, {name: found[name] for name in _names(entry.inputs)}, log)

    def topic(self, event: str) -> bytes:
        """Returns the 32 bytes by which an event's logs are found; BadCall where there is no such event."""
        for entry in self._topics.values():
            if event in {entry.name, entry.signature}:
                return entry.topic
        raise BadCall(f"event was {event!r}", hint=f"known: {_known(self._topics.values())}")

    def reason(self, data: bytes) -> str:
        """Returns why a call reverted, with this interface's own errors in words; "" where the data says nothing."""
        entry = self._errors.get(data[:4])
        if entry is None:
            return reason(data)
        shown = ", ".join(repr(value) for value in _decode(entry.types, data[4:], f"error {entry.signature}"))
        return f"{entry.name}({shown})"

    def _function(self, name: str, count: int | None) -> _Entry:
        named = self._named.get(name, ())
        if not named:
            raise BadCall(f"function was {name!r}", hint=f"known: {_known(self._functions)}")
        fitting = [entry for entry in named if count is None or len(entry.inputs) == count]
        if not fitting:
            raise BadCall(f"number of arguments of {name!r} was {count}", hint=f"it is {_known(named)}")
        differ = {entry.outputs if count is None else entry.types for entry in fitting}
        if len(differ) > 1:
            raise BadCall(f"function was {name!r}, of which there are several", hint=f"name one: {_known(fitting)}")
        return fitting[0]

    @cached_property
    def _functions(self) -> tuple[_Entry, ...]:
        return tuple(_entries(self.abi, "function"))

    @cached_property
    def _named(self) -> dict[str, list[_Entry]]:
        found: dict[str, list[_Entry]] = {}
        for entry in self._functions:
            for name in (entry.name, entry.signature):
                found.setdefault(name, []).append(entry)
        return found

    @cached_property
    def _selectors(self) -> dict[bytes, _Entry]:
        return {entry.selector: entry for entry in self._functions}

    @cached_property
    def _topics(self) -> dict[bytes, _Entry]:
        return {entry.topic: entry for entry in _entries(self.abi, "event") if not entry.anonymous}

    @cached_property
    def _errors(self) -> dict[bytes, _Entry]:
        return {entry.selector: entry for entry in _entries(self.abi, "error")}


@dataclass(frozen=True)
class Deployed:
    """A contract at its address: read it, send to it, and find its events."""

    chain: Chain
    interface: Interface
    address: Address

    def read(self, function: str, *args: object, sender: Address = ZERO, at: int | None = None) -> Any:
        """Returns what a function gives back on the state after block `at` (None: the newest). Raises Reverted."""
        data = self.chain.call(Call(sender, self.address, self.interface.encode(function, *args)), at)
        return self.interface.decode(function, data, len(args))

    def call(self, function: str, *args: object, sender: Address, value: int = 0) -> Call:
        """Returns the call unsent, for a wallet to sign or for `chain.simulate`; `value` is wei."""
        return Call(sender, self.address, self.interface.encode(function, *args), value)

    def send(self, function: str, *args: object, sender: Address, value: int = 0) -> Receipt:
        """Sends and waits for the block; Reverted with the contract's reason where it refuses."""
        return succeeded(self.chain, self.chain.send(self.call(function, *args, sender=sender, value=value)))

    def events(self, receipt: Receipt) -> tuple[Event, ...]:
        """Returns what this contract wrote in a transaction."""
        mine = (self.interface.event(log) for log in receipt.logs if log.address == self.address)
        return tuple(event for event in mine if event is not None)


def deploy(
    chain: Chain, abi: Iterable[Mapping[str, Any]], bytecode: bytes, *args: object, sender: Address, value: int = 0
) -> Deployed:
    """Creates a contract and waits for it; Reverted where its constructor refuses."""
    interface = Interface(abi)
    receipt = succeeded(chain, chain.send(Call(sender, None, interface.construct(bytecode, *args), value)))
    if receipt.created is None:
        raise BadAnswer(f"receipt of {receipt.transaction} names no contract", hint="is this node sound?")
    return Deployed(chain, interface, receipt.created)


def succeeded(chain: Chain, transaction: Any) -> Receipt:
    """Returns a transaction's receipt once it is in a block; Reverted where it failed there."""
    receipt = chain.wait(transaction)
    if not receipt.succeeded:
        raise Reverted(receipt.reason, hint=f"transaction {receipt.transaction} in block {receipt.block}")
    return receipt


PANICS = {
    0x01: "assertion failed", 0x11: "arithmetic overflow", 0x12: "division by zero", 0x21: "no such enum value",
    0x22: "bad storage", 0x31: "pop of an empty array", 0x32: "index out of bounds", 0x41: "out of memory",
    0x51: "call of an unset function",
}  # fmt: skip


def reason(data: bytes) -> str:
    """Returns why a call reverted: the text of Error(string), the meaning of Panic(uint256), or a custom error's id.

    Returns "" where the data says nothing.
    """
    try:
        if data[:4] == b"\x08\xc3\x79\xa0":
            return str(_decode(("string",), data[4:], "revert reason")[0])
        if data[:4] == b"\x4e\x48\x7b\x71":
            number = int(_decode(("uint256",), data[4:], "panic")[0])
            return f"panic: {PANICS.get(number, 'unknown')} (0x{number:02x})"
    except BadAnswer:
        return ""
    return f"custom error 0x{data[:4].hex()}" if len(data) >= 4 else ""


def _entries(abi: Iterable[Mapping[str, Any]], kind: str) -> Iterable[_Entry]:
    for part in abi:
        if part.get("type", "function") == kind:
            outputs = tuple(_type(item) for item in part.get("outputs", ()))
            yield _Entry(part["name"], tuple(part.get("inputs", ())), outputs, bool(part.get("anonymous")))


def _type(part: Mapping[str, Any]) -> str:
    """Returns an ABI part's canonical type: a struct becomes the list of its members' types."""
    kind = str(part["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(item) for item in part['components'])}){kind.removeprefix('tuple')}"


def _encode(entry: _Entry, args: Sequence[object]) -> bytes:
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    if len(args) != len(entry.inputs):
        raise BadCall(f"number of arguments was {len(args)}", hint=f"it is {entry.signature}")
    values = [_positional(part, value) for part, value in zip(entry.inputs, args, strict=True)]
    try:
        return encode(entry.types, values)
    except (EncodingError, TypeError, ValueError, OverflowError) as error:
        raise BadCall(f"arguments of {entry.signature} were {args!r}: {error}", hint="see the contract's ABI") from None


def _positional(part: Mapping[str, Any], value: Any) -> Any:
    """Returns a struct that was given by names in the order of its members; everything else as it is."""
    kind = str(part["type"])
    if kind.endswith("]") and isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_positional({**part, "type": kind[: kind.rindex("[")]}, item) for item in value]
    if kind != "tuple":
        return value
    members = part["components"]
    if isinstance(value, Mapping):
        if set(value) != {item["name"] for item in members}:
            raise BadCall(f"members of a struct were {sorted(value)!r}", hint=f"it has {_names(members)!r}")
        value = [value[item["name"]] for item in members]
    if not isinstance(value, list | tuple) or len(value) != len(members):
        raise BadCall(f"a struct was {value!r:.200}", hint=f"it has {_names(members)!r}")
    return tuple(_positional(item, inner) for item, inner in zip(members, value, strict=True))


def _decode(types: Sequence[str], data: bytes, what: str) -> tuple[Any, ...]:
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        return tuple(decode(types, data))
    except (DecodingError, ValueError, OverflowError) as error:
        raise BadAnswer(f"{what} was 0x{data[:64].hex()}…, not {types!r}: {error}", hint="another contract?") from None


def _fits_a_word(kind: str) -> bool:
    return not (kind in {"string", "bytes"} or kind.endswith("]") or kind.startswith("("))


def _names(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    return [part.get("name") or str(place) for place, part in enumerate(parts)]


def _named(parts: Sequence[Mapping[str, Any]], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(_names(parts), values, strict=True))


def _known(entries: Iterable[_Entry]) -> str:
    return ", ".join(sorted(entry.signature for entry in entries)) or "none"
