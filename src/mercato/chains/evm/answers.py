"""A node's JSON as values, and values as a node's JSON. What does not fit is BadAnswer, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mercato.chains.errors import BadAnswer
from mercato.chains.model import Address, Block, Call, Hash, Log, LogQuery, Receipt


def number(value: object) -> int:
    """Returns a quantity such as 0x1f."""
    if isinstance(value, str) and value.startswith("0x") and len(value) <= 66:
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise BadAnswer(f"a number of the node was {value!r:.80}", hint="expected 0x and hexadecimal digits")


def octets(value: object, length: int | None = None) -> bytes:
    """Returns bytes such as 0x00ff, of a given length where one is given."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            found = bytes.fromhex(value[2:])
        except ValueError:
            found = None
        if found is not None and length in (None, len(found)):
            return found
    raise BadAnswer(f"bytes of the node were {value!r:.80}", hint=f"expected 0x and {length or 'any number of'} bytes")


def address(value: object) -> Address:
    """Returns an address in lower case."""
    return Address("0x" + octets(value, 20).hex())


def digest(value: object) -> Hash:
    """Returns a hash in lower case."""
    return Hash("0x" + octets(value, 32).hex())


def member(value: object, name: str) -> Any:
    """Returns a member of a JSON object."""
    if isinstance(value, Mapping) and name in value:
        return value[name]
    raise BadAnswer(f"an object of the node was {value!r:.120}", hint=f"expected one with {name!r}")


def items(value: object) -> list[Any]:
    """Returns a JSON list."""
    if isinstance(value, list):
        return value
    raise BadAnswer(f"a list of the node was {value!r:.80}", hint="expected a list")


def log(value: object) -> Log:
    """Returns a log of a block."""
    return Log(
        address(member(value, "address")),
        tuple(octets(topic, 32) for topic in items(member(value, "topics"))),
        octets(member(value, "data")),
        number(member(value, "blockNumber")),
        digest(member(value, "blockHash")),
        digest(member(value, "transactionHash")),
        number(member(value, "logIndex")),
    )


def receipt(value: object) -> Receipt:
    """Returns a receipt, without its reason, which nodes do not keep."""
    to, created = member(value, "to"), member(value, "contractAddress")
    succeeded = number(member(value, "status")) == 1
    return Receipt(
        digest(member(value, "transactionHash")),
        number(member(value, "blockNumber")),
        digest(member(value, "blockHash")),
        number(member(value, "transactionIndex")),
        address(member(value, "from")),
        address(to) if to else None,
        address(created) if created and succeeded else None,
        succeeded,
        number(member(value, "gasUsed")),
        tuple(log(item) for item in items(member(value, "logs"))),
    )


def block(value: object) -> Block:
    """Returns a block's head, asked for without its transactions' contents."""
    base_fee = value.get("baseFeePerGas") if isinstance(value, Mapping) else None
    return Block(
        number(member(value, "number")),
        digest(member(value, "hash")),
        digest(member(value, "parentHash")),
        number(member(value, "timestamp")),
        tuple(digest(item) for item in items(member(value, "transactions"))),
        number(member(value, "gasUsed")),
        number(base_fee) if base_fee is not None else 0,
    )


def asked(call: Call) -> dict[str, str]:
    """Returns a call as a node reads it."""
    fields = {"from": call.sender, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    if call.to is not None:
        fields["to"] = call.to
    if call.gas is not None:
        fields["gas"] = hex(call.gas)
    return fields


def wanted(query: LogQuery) -> dict[str, Any]:
    """Returns a query for logs as a node reads it."""
    topics = [_topics(place) for place in query.topics]
    while topics and topics[-1] is None:
        topics.pop()  # some nodes take an open place at the end for "has such a topic"
    return {
        "fromBlock": hex(max(query.first, 0)),
        "toBlock": hex(query.last),
        **({"address": sorted(query.addresses)} if query.addresses else {}),
        **({"topics": topics} if topics else {}),
    }


def _topics(place: frozenset[bytes]) -> list[str] | None:
    return ["0x" + topic.hex() for topic in sorted(place)] or None
