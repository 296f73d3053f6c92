"""How what was run becomes a block of the embedded chain with its receipts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from mercato.chains.abi import reason
from mercato.chains.evm.engine import GAS_LIMIT, Head, Message, Result
from mercato.chains.model import Block, Call, Hash, Log, Receipt
from mercato.chains.transactions import Transaction

BASE_FEE = 0  # wei per gas, in every block
Done = tuple[Transaction, Result]


def message(call: Call) -> Message:
    """Returns a call as the EVM sees it, free and with all the gas of a block where it names none."""
    return Message(call.sender, call.to, call.data, call.value, GAS_LIMIT if call.gas is None else call.gas)


def sent(item: Transaction) -> Message:
    """Returns a transaction as the EVM sees it."""
    price = item.price(BASE_FEE)
    return Message(item.sender, item.to, item.data, item.value, item.gas, price, item.accesses)


def why(result: Result) -> str:
    """Returns why a message failed, "" where it did not, or said nothing."""
    return "" if result.succeeded else result.halt or reason(result.output)


def sealed(head: Head, parent: Hash, done: Sequence[Done]) -> Block:
    """Returns the block's head. Its hash covers all that the block says and did; there is no state root in it."""
    gas = sum(result.gas_used for _, result in done)
    hashes = tuple(item.hash for item, _ in done)
    covered = [bytes.fromhex(parent[2:]), head.number.to_bytes(8, "big"), head.time.to_bytes(8, "big")]
    for item, result in done:
        told = result.succeeded.to_bytes(1, "big") + result.gas_used.to_bytes(8, "big")
        covered += [bytes.fromhex(item.hash[2:]), told, len(result.output).to_bytes(4, "big"), result.output]
    digest = sha256(b"embedded block" + b"".join(covered))
    return Block(head.number, Hash("0x" + digest.hexdigest()), parent, head.time, hashes, gas, BASE_FEE)


def receipts(block: Block, done: Sequence[Done]) -> list[Receipt]:
    """Returns the receipts of a block; logs are counted through it."""
    made, counted = [], 0
    for index, (item, result) in enumerate(done):
        logs = tuple(
            Log(log.address, log.topics, log.data, block.number, block.hash, item.hash, counted + place)
            for place, log in enumerate(result.logs)
        )
        counted += len(logs)
        made.append(
            Receipt(
                item.hash, block.number, block.hash, index, item.sender, item.to, result.created, result.succeeded,
                result.gas_used, logs, why(result),
            )
        )  # fmt: skip
    return made
