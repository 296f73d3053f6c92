"""Typed data that wallets show in words and sign: EIP-712, formulas `encodeType`, `encodeData` and `hashStruct`.

digest({"domain": {...}, "types": {...}, "primaryType": "Permit", "message": {...}})
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mercato.chains.addresses import keccak
from mercato.chains.errors import BadCall

Members = Sequence[Mapping[str, str]]
Types = Mapping[str, Members]

_DOMAIN = (
    ("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"),
    ("salt", "bytes32"),
)  # fmt: skip
_ARRAY = re.compile(r"(.+)\[(\d*)\]")
DEPTH = 32  # of structs within structs


def digest(data: Mapping[str, Any]) -> bytes:
    """Returns the 32 bytes that are signed; BadCall where the data does not fit its own types."""
    try:
        domain, types, primary, message = (data[key] for key in ("domain", "types", "primaryType", "message"))
    except (KeyError, TypeError):
        raise BadCall(f"typed data was {data!r:.200}", hint="expected domain, types, primaryType and message") from None
    inner = b"" if primary == "EIP712Domain" else hash_struct(str(primary), message, types)
    return keccak(b"\x19\x01" + separator(domain) + inner)


def separator(domain: Mapping[str, Any]) -> bytes:
    """Returns the hash that ties a signature to an application, a chain and a contract."""
    if unknown := set(domain) - {name for name, _ in _DOMAIN}:
        raise BadCall(f"domain has {sorted(unknown)!r}", hint=f"known: {', '.join(name for name, _ in _DOMAIN)}")
    members = [{"name": name, "type": kind} for name, kind in _DOMAIN if name in domain]
    return hash_struct("EIP712Domain", domain, {"EIP712Domain": members})


def hash_struct(name: str, value: Mapping[str, Any], types: Types, depth: int = 0) -> bytes:
    """Returns keccak(typeHash, encodeData) of a struct."""
    if not isinstance(value, Mapping) or depth > DEPTH:
        raise BadCall(f"{name} was {value!r:.200}", hint=f"expected an object, nested at most {DEPTH} deep")
    members = _members(name, types)
    if missing := [member["name"] for member in members if member["name"] not in value]:
        raise BadCall(f"{name} had no {missing[0]!r}", hint="give every member a value")
    words = [_word(member["type"], value[member["name"]], types, depth) for member in members]
    return keccak(keccak(encode_type(name, types).encode()) + b"".join(words))


def encode_type(name: str, types: Types) -> str:
    """Returns a struct's type in words, followed by the structs that it uses, by name."""
    used: set[str] = set()
    open_names = [name]
    while open_names:
        current = open_names.pop()
        if current not in used:
            used.add(current)
            kinds = (member["type"].split("[")[0] for member in _members(current, types))
            open_names += [kind for kind in kinds if kind in types]
    ordered = [name, *sorted(used - {name})]
    return "".join(f"{one}({_written(_members(one, types))})" for one in ordered)


def _written(members: Members) -> str:
    return ",".join(f"{member['type']} {member['name']}" for member in members)


def _members(name: str, types: Types) -> Members:
    if name not in types:
        raise BadCall(f"type was {name!r}", hint=f"known: {', '.join(sorted(types))}")
    return types[name]


def _word(kind: str, value: Any, types: Types, depth: int) -> bytes:
    """Returns the 32 bytes that stand for a member: its value, or the hash of what is longer."""
    if array := _ARRAY.fullmatch(kind):
        if not isinstance(value, list | tuple) or array[2] not in ("", str(len(value))):
            raise BadCall(f"{kind} was {value!r:.200}", hint="expected a list of that length")
        return keccak(b"".join(_word(array[1], item, types, depth + 1) for item in value))
    if kind in types:
        return hash_struct(kind, value, types, depth + 1)
    if kind == "string":
        return keccak(str(value).encode())
    if kind == "bytes":
        return keccak(_octets(kind, value))
    return _atom(kind, value)


def _octets(kind: str, value: Any) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(memoryview(value))
    except (TypeError, ValueError):
        raise BadCall(f"{kind} was {value!r:.200}", hint="expected bytes or 0x text") from None


def _atom(kind: str, value: Any) -> bytes:
    from eth_abi.abi import encode
    from eth_abi.exceptions import ABITypeError, EncodingError, ParseError

    if kind.startswith("bytes"):
        value = _octets(kind, value)
    elif kind.startswith(("uint", "int")) and isinstance(value, str):
        value = _whole(kind, value)  # JSON carries large numbers as text
    try:
        return encode([kind], [value])
    except (EncodingError, ABITypeError, ParseError, ValueError, TypeError) as error:
        raise BadCall(f"{kind} was {value!r:.200}: {error}", hint="see the data's types") from None


def _whole(kind: str, text: str) -> int:
    try:
        return int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:
        raise BadCall(f"{kind} was {text!r:.200}", hint="expected a whole number") from None
