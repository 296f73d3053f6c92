"""Methods that change nothing: the chain's name and height, blocks, transactions, accounts, calls and fees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from mercato.chains.addresses import keccak
from mercato.chains.evm.engine import GAS_LIMIT
from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import wire
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import MISSING, PARAMS, SERVER, Fault
from mercato.chains.facade.gas import TIP, estimate
from mercato.chains.facade.shapes import Json, block_json, bloom, receipt_json, transaction_json
from mercato.chains.model import ZERO, Address, Block, Call, Hash, LogQuery
from mercato.core.errors import NotFound

HISTORY = 1024  # blocks of fee history that one request may ask for
KNOWN = frozenset({
    "from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "nonce", "data", "input", "type",
    "accessList", "chainId",
})  # fmt: skip


def argument(params: Sequence[object], place: int, what: str) -> object:
    """Returns a parameter that must be there."""
    if place >= len(params):
        raise Fault(PARAMS, f"missing value for required argument {place}: {what}")
    return params[place]


def optional(params: Sequence[object], place: int) -> object:
    """Returns a parameter that may be absent."""
    return params[place] if place < len(params) else None


def call_of(value: object) -> Call:
    """Returns the message that a transaction object describes; `input` wins over its older name `data`."""
    given = wire.fields(value, "transaction")
    if unknown := sorted(set(given) - KNOWN):
        raise Fault(PARAMS, f"invalid argument: transaction names {unknown[0][:40]!r}, which is not known here")
    data = given.get("input", given.get("data"))
    gas = given.get("gas")
    to = given.get("to")
    return Call(
        sender=wire.address(given["from"], "from") if given.get("from") else ZERO,
        to=wire.address(to, "to") if to else None,
        data=b"" if data is None else wire.octets(data, "input"),
        value=wire.integer(given["value"], "value") if given.get("value") is not None else 0,
        gas=None if gas is None else min(wire.integer(gas, "gas"), GAS_LIMIT),
    )


class Reads:
    """Answers from a chain in this process."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        chain = self._chain
        return {
            "web3_clientVersion": lambda params: f"Mercato/v{version('mercato')}/embedded",
            "web3_sha3": lambda params: wire.hexed(keccak(wire.octets(argument(params, 0, "data"), "data"))),
            "net_version": lambda params: str(chain.chain_id),
            "net_listening": lambda params: True,
            "net_peerCount": lambda params: "0x0",
            "eth_chainId": lambda params: wire.quantity(chain.chain_id),
            "eth_syncing": lambda params: False,
            "eth_blockNumber": lambda params: wire.quantity(chain.block().number),
            "eth_getBlockByNumber": self.block,
            "eth_getBlockByHash": self.block_by_hash,
            "eth_getBlockTransactionCountByNumber": self.count,
            "eth_getBlockReceipts": self.receipts,
            "eth_getTransactionByHash": self.transaction,
            "eth_getTransactionReceipt": self.receipt,
            "eth_getTransactionCount": lambda params: wire.quantity(chain.nonce(self.account(params, 1))),
            "eth_getBalance": lambda params: wire.quantity(chain.balance(self.account(params, 1))),
            "eth_getCode": lambda params: wire.hexed(chain.code(self.account(params, 1))),
            "eth_getStorageAt": self.storage,
            "eth_call": self.call,
            "eth_estimateGas": self.estimate,
            "eth_gasPrice": lambda params: wire.quantity(chain.block().base_fee + TIP),
            "eth_maxPriorityFeePerGas": lambda params: wire.quantity(TIP),
            "eth_feeHistory": self.fees,
        }

    def find(self, place: wire.Place) -> Block | None:
        """Returns a block, None where there is none."""
        try:
            return self._chain.block(place.hash if place.hash else place.number)
        except NotFound:
            return None

    def newest(self, place: wire.Place) -> None:
        """Raises Fault unless a place is the newest block: only its state is kept."""
        block = self.find(place)
        if block is None:
            raise Fault(SERVER, "header not found")
        if block.number != (newest := self._chain.block().number):
            raise Fault(SERVER, f"state of block {block.number} is not kept, only that of the newest one, {newest}")

    def account(self, params: Sequence[object], at: int) -> Address:
        """Returns the account that a request is about, once its block is known to be the newest."""
        found = wire.address(argument(params, 0, "address"))
        self.newest(wire.place(optional(params, at)))
        return found

    def block(self, params: Sequence[object]) -> Json | None:
        """`eth_getBlockByNumber`."""
        found = self.find(wire.place(argument(params, 0, "block")))
        return self.shown(found, wire.flag(argument(params, 1, "whether transactions are whole"), "whole"))

    def block_by_hash(self, params: Sequence[object]) -> Json | None:
        """`eth_getBlockByHash`."""
        found = self.find(wire.Place(hash=wire.hash32(argument(params, 0, "hash"))))
        return self.shown(found, wire.flag(argument(params, 1, "whether transactions are whole"), "whole"))

    def shown(self, block: Block | None, whole: bool) -> Json | None:
        """Returns a block as JSON, with whole transactions or their hashes."""
        if block is None:
            return None
        items = [self.item(hash) for hash in block.transactions] if whole else block.transactions
        logs = self._chain.logs(LogQuery(block.number, block.number))
        return block_json(block, items, bloom(logs))

    def count(self, params: Sequence[object]) -> str | None:
        """`eth_getBlockTransactionCountByNumber`."""
        found = self.find(wire.place(argument(params, 0, "block")))
        return None if found is None else wire.quantity(len(found.transactions))

    def transaction(self, params: Sequence[object]) -> Json | None:
        """`eth_getTransactionByHash`."""
        return self.item(wire.hash32(argument(params, 0, "hash")))

    def item(self, hash: Hash) -> Json | None:
        """Returns a transaction as JSON, None where there is none."""
        item, receipt = self._chain.transaction(hash), self._chain.receipt(hash)
        if item is None:
            return None
        block = self._chain.block(receipt.block) if receipt else None
        return transaction_json(item, block, receipt.index if receipt else None)

    def receipt(self, params: Sequence[object]) -> Json | None:
        """`eth_getTransactionReceipt`."""
        hash = wire.hash32(argument(params, 0, "hash"))
        found = self._chain.receipt(hash)
        return None if found is None else self.written(self._chain.block(found.block))[found.index]

    def receipts(self, params: Sequence[object]) -> list[Json] | None:
        """`eth_getBlockReceipts`."""
        found = self.find(wire.place(argument(params, 0, "block")))
        return None if found is None else self.written(found)

    def written(self, block: Block) -> list[Json]:
        """Returns every receipt of a block, each with the gas so far."""
        made, gas = [], 0
        for hash in block.transactions:
            receipt, item = self._chain.receipt(hash), self._chain.transaction(hash)
            if receipt is None or item is None:
                raise Fault(MISSING, "the block was taken back while it was read")
            gas += receipt.gas_used
            made.append(receipt_json(receipt, item, block, gas))
        return made

    def storage(self, params: Sequence[object]) -> str:
        """`eth_getStorageAt`: one word. The slot may be a quantity or 32 bytes, as clients disagree."""
        account = self.account(params, 2)
        slot = int.from_bytes(wire.octets(_even(argument(params, 1, "slot")), "slot"), "big")
        if slot >> 256:
            raise Fault(PARAMS, "invalid argument: slot is longer than 32 bytes")
        return wire.hexed(self._chain.storage(account, slot).to_bytes(32, "big"))

    def call(self, params: Sequence[object]) -> str:
        """`eth_call`, on the state after any block."""
        call = call_of(argument(params, 0, "transaction"))
        block = self.find(wire.place(optional(params, 1)))
        if block is None:
            raise Fault(SERVER, "header not found")
        if optional(params, 2):
            raise Fault(PARAMS, "state overrides are not known here")
        afford(self._chain, call)
        return wire.hexed(self._chain.call(call, block.number))

    def estimate(self, params: Sequence[object]) -> str:
        """`eth_estimateGas`."""
        call = call_of(argument(params, 0, "transaction"))
        self.newest(wire.place(optional(params, 1)))
        afford(self._chain, call)
        return wire.quantity(estimate(self._chain, call))

    def fees(self, params: Sequence[object]) -> Json:
        """`eth_feeHistory`: base fees of the blocks and of the one to come; each tip is the same."""
        wanted = argument(params, 0, "count")
        count = wanted if isinstance(wanted, int) else wire.integer(wanted, "count")
        last = self.find(wire.place(argument(params, 1, "newest block")))
        if last is None:
            raise Fault(SERVER, "header not found")
        count = max(0, min(count, HISTORY, last.number + 1))
        blocks = [self._chain.block(number) for number in range(last.number - count + 1, last.number + 1)]
        shown: Json = {
            "oldestBlock": wire.quantity(last.number - count + 1),
            "baseFeePerGas": [wire.quantity(block.base_fee) for block in (*blocks, last)],
            "gasUsedRatio": [block.gas_used / GAS_LIMIT for block in blocks],
        }
        if (percentiles := optional(params, 2)) is not None:
            places = wire.items(percentiles, "percentiles")
            shown["reward"] = [[wire.quantity(TIP) for _ in places[:100]] for _ in blocks]
        return shown


def afford(chain: LocalChain, call: Call) -> None:
    """Raises Fault where the sender of a call has not the wei that it would give."""
    if call.value and call.value > (balance := chain.balance(call.sender)):
        raise Fault(SERVER, f"insufficient funds for transfer: address {call.sender} have {balance} want {call.value}")


def _even(slot: object) -> object:
    """Returns a slot with an even number of digits, so that a quantity reads as bytes."""
    odd = isinstance(slot, str) and slot.startswith("0x") and len(slot) % 2
    return f"0x0{slot[2:]}" if odd and isinstance(slot, str) else slot
