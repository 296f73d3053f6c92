"""Blocks, transactions, receipts and logs as JSON-RPC shows them.

What the embedded chain has not is shown as zero: roots of state, transactions and receipts, and a size in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mercato.chains.addresses import keccak
from mercato.chains.evm.engine import COINBASE, GAS_LIMIT
from mercato.chains.facade.wire import hexed, quantity
from mercato.chains.model import Block, Log, Receipt
from mercato.chains.transactions import Transaction

Json = dict[str, object]
NOTHING = "0x" + "0" * 64
NO_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"  # keccak of the empty list


def block_json(block: Block, transactions: Sequence[object], bloom: bytes) -> Json:
    """Returns a block; `transactions` are hashes or whole transactions, as was asked."""
    return {
        "number": quantity(block.number),
        "hash": block.hash,
        "parentHash": block.parent,
        "nonce": "0x" + "0" * 16,
        "sha3Uncles": NO_UNCLES,
        "logsBloom": hexed(bloom),
        "transactionsRoot": NOTHING,
        "stateRoot": NOTHING,
        "receiptsRoot": NOTHING,
        "miner": COINBASE,
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "extraData": "0x",
        "size": quantity(0),
        "gasLimit": quantity(GAS_LIMIT),
        "gasUsed": quantity(block.gas_used),
        "timestamp": quantity(block.time),
        "mixHash": NOTHING,
        "baseFeePerGas": quantity(block.base_fee),
        "transactions": list(transactions),
        "uncles": [],
    }


def transaction_json(item: Transaction, block: Block | None, index: int | None) -> Json:
    """Returns a transaction with its place; without one where it waits for a block."""
    shown: Json = {
        "hash": item.hash,
        "type": quantity(item.kind),
        "nonce": quantity(item.nonce),
        "blockHash": block and block.hash,
        "blockNumber": block and quantity(block.number),
        "transactionIndex": None if index is None else quantity(index),
        "from": item.sender,
        "to": item.to,
        "value": quantity(item.value),
        "gas": quantity(item.gas),
        "gasPrice": quantity(item.price(block.base_fee) if block else item.max_fee),
        "input": hexed(item.data),
        "v": quantity(item.v),
        "r": quantity(item.r),
        "s": quantity(item.s),
    }
    if item.chain_id is not None:
        shown["chainId"] = quantity(item.chain_id)
    if item.kind:
        shown["yParity"] = quantity(item.v)
        shown["accessList"] = [
            {"address": who, "storageKeys": [_word(slot) for slot in slots]} for who, slots in item.accesses
        ]
    if item.kind == 2:
        shown["maxFeePerGas"], shown["maxPriorityFeePerGas"] = quantity(item.max_fee), quantity(item.max_tip)
    return shown


def receipt_json(receipt: Receipt, item: Transaction, block: Block, gas_so_far: int) -> Json:
    """Returns a receipt; `gas_so_far` is the gas of its block up to and with this transaction."""
    return {
        "transactionHash": receipt.transaction,
        "transactionIndex": quantity(receipt.index),
        "blockHash": receipt.block_hash,
        "blockNumber": quantity(receipt.block),
        "from": receipt.sender,
        "to": receipt.to,
        "cumulativeGasUsed": quantity(gas_so_far),
        "gasUsed": quantity(receipt.gas_used),
        "effectiveGasPrice": quantity(item.price(block.base_fee)),
        "contractAddress": receipt.created if receipt.succeeded else None,
        "logs": logs_json(block, receipt.logs),
        "logsBloom": hexed(bloom(receipt.logs)),
        "type": quantity(item.kind),
        "status": quantity(int(receipt.succeeded)),
    }


def logs_json(block: Block, logs: Iterable[Log], *, removed: bool = False) -> list[Json]:
    """Returns logs of one block; `removed` where that block is no longer on the chain."""
    places = {transaction: place for place, transaction in enumerate(block.transactions)}
    return [
        {
            "address": log.address,
            "topics": [hexed(topic) for topic in log.topics],
            "data": hexed(log.data),
            "blockNumber": quantity(log.block),
            "blockHash": log.block_hash,
            "blockTimestamp": quantity(block.time),
            "transactionHash": log.transaction,
            "transactionIndex": quantity(places[log.transaction]),
            "logIndex": quantity(log.index),
            "removed": removed,
        }
        for log in logs
    ]


def bloom(logs: Iterable[Log]) -> bytes:
    """Returns the 256-byte filter of the addresses and topics of logs (Yellow Paper, section 4.3.1)."""
    bits = 0
    for entry in {entry for log in logs for entry in (bytes.fromhex(log.address[2:]), *log.topics)}:
        digest = keccak(entry)
        for place in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[place : place + 2], "big") % 2048)  # its lowest 11 bits
    return bits.to_bytes(256, "big")


def _word(slot: int) -> str:
    return hexed(slot.to_bytes(32, "big"))
