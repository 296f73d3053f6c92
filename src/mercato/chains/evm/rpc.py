"""Any chain behind a JSON-RPC endpoint, signed for here or, on a development node, by the node itself.

One sending takes two requests: a batch for nonce, gas and fees, then the signed transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from mercato.chains import fuse
from mercato.chains.abi import reason
from mercato.chains.errors import BadAnswer, BadCall, Reverted, UnknownSigner, Unreachable
from mercato.chains.evm import answers
from mercato.chains.evm.endpoint import NO_METHOD, Endpoint
from mercato.chains.model import Address, Block, Call, Chain, Fees, Hash, Log, LogQuery, Outcome, Receipt, Signer
from mercato.core import chain as names
from mercato.core.errors import MercatoError, NotFound

SPARE = 20  # percent of gas above the node's estimate: the state may have moved when the transaction is run
_TOO_MUCH = ("range", "limit", "too many", "too large", "exceed", "over ")


class Rpc(Chain):
    """A chain at a node. `signers` sign here; other accounts only where the node itself holds them.

    `any_sender` says that the node takes any sender's word for nothing, as a development node can. Sending needs a
    development chain, or `allow_real_chains`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        chain_id: int,
        signers: Iterable[Signer] = (),
        *,
        allow_real_chains: bool = False,
        any_sender: bool = False,
    ) -> None:
        self.chain_id, self._name = chain_id, names.Chain("eip155", str(chain_id))
        self._node, self._allowed, self._any = endpoint, allow_real_chains, any_sender
        self._signers = {signer.address: signer for signer in signers}
        self._held: frozenset[Address] | None = None
        if (told := answers.number(self._node.ask("eth_chainId"))) != chain_id:
            raise BadAnswer(f"chain id of {endpoint.host} was {told}", hint=f"expected {chain_id}; see the settings")

    @property
    def name(self) -> names.Chain:
        """The chain's CAIP-2 name."""
        return self._name

    def close(self) -> None:
        """Closes the connections to the node."""
        self._node.close()

    def send(self, call: Call) -> Hash:
        """Sends a transaction for an account that is signed for here or held by the node.

        Raises UnknownSigner, RealChainRefused, Reverted where the estimate of its gas fails, BadCall where the node
        refuses it.
        """
        fuse.check(self.chain_id, allow_real_chains=self._allowed)
        if signer := self._signers.get(call.sender):
            return self.send_raw(signer.transaction(self._filled(call)))
        if not self._any and call.sender not in self._accounts():
            raise UnknownSigner(f"sender was {call.sender}", hint="give its signer, or a node that holds its key")
        gas = call.gas or answers.number(self._node.ask("eth_estimateGas", answers.asked(call)))
        spared = gas if call.gas else gas * (100 + SPARE) // 100
        fields = {**answers.asked(call), "chainId": hex(self.chain_id), "gas": hex(spared)}
        free = {"gasPrice": "0x0"} if self._any else {}  # who takes any sender's word asks for no fee either
        return answers.digest(self._node.ask("eth_sendTransaction", {**fields, **free}))

    def send_raw(self, signed: bytes) -> Hash:
        """Sends a transaction that was signed elsewhere; BadCall where the node refuses it."""
        fuse.check(self.chain_id, allow_real_chains=self._allowed)
        return answers.digest(self._node.ask("eth_sendRawTransaction", "0x" + signed.hex()))

    def receipt(self, transaction: Hash) -> Receipt | None:
        """Returns what became of a transaction; None where it is not in a block yet.

        Nodes keep no reasons: that of a failed one is asked for again on the state before its block, "" where that
        tells none.
        """
        found = self._node.ask("eth_getTransactionReceipt", transaction)
        if found is None:
            return None
        receipt = answers.receipt(found)
        if receipt.succeeded:
            return receipt
        fields = {name: getattr(receipt, name) for name in Receipt.__slots__}
        return Receipt(**{**fields, "reason": self._why(receipt)})

    def wait(self, transaction: Hash, seconds: int = 60) -> Receipt:
        """Returns the receipt once there is one, of a reverted transaction too; Unreachable after `seconds`."""
        end, pause = time.monotonic() + seconds, 0.001
        while (found := self.receipt(transaction)) is None:
            if time.monotonic() > end:
                raise Unreachable(f"{transaction} was in no block after {seconds} s", hint="it may still come")
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        return found

    def call(self, call: Call, at: int | None = None) -> bytes:
        """Returns what a call gives back on the state after block `at` (None: the newest). Raises Reverted."""
        block = "latest" if at is None else hex(at)
        return answers.octets(self._node.ask("eth_call", answers.asked(call), block))

    def simulate(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        """Returns what the calls would do one after another; nothing is kept, nothing raised.

        Needs a node with eth_simulateV1; BadAnswer where it has none.
        """
        block: dict[str, Any] = {"calls": [answers.asked(call) for call in calls]}
        if codes := {call.to: {"code": "0x" + call.code.hex()} for call in calls if call.code}:
            block["stateOverrides"] = codes
        asked = {"blockStateCalls": [block], "validation": False}
        try:
            blocks = answers.items(self._node.ask("eth_simulateV1", asked, "latest"))
        except BadAnswer as error:
            if error.facts.get("code") == NO_METHOD:
                raise BadAnswer(f"{self._node.host} knows no eth_simulateV1", hint="use a newer node") from None
            raise
        return tuple(_outcome(item) for item in answers.items(answers.member(blocks[0], "calls")))

    def logs(self, query: LogQuery) -> tuple[Log, ...]:
        """Returns the logs in the order in which they were written; a range that is too much is asked for in halves."""
        if query.first > query.last:
            return ()
        try:
            found = self._node.ask("eth_getLogs", answers.wanted(query))
        except BadAnswer as error:
            if query.first == query.last or not any(word in str(error) for word in _TOO_MUCH):
                raise
            middle = (query.first + query.last) // 2
            halves = ((query.first, middle), (middle + 1, query.last))
            parts = [self.logs(LogQuery(first, last, query.addresses, query.topics)) for first, last in halves]
            return parts[0] + parts[1]
        return tuple(answers.log(item) for item in answers.items(found))

    def balance(self, address: Address) -> int:
        """Returns the account's wei."""
        return answers.number(self._node.ask("eth_getBalance", address, "latest"))

    def nonce(self, address: Address) -> int:
        """Returns the number of the account's next transaction, behind those that the node knows of."""
        return answers.number(self._node.ask("eth_getTransactionCount", address, "pending"))

    def code(self, address: Address) -> bytes:
        """Returns the contract's code; nothing for a plain account."""
        return answers.octets(self._node.ask("eth_getCode", address, "latest"))

    def fees(self, blocks: int = 20) -> Fees:
        """Returns what gas costs, by those of the newest blocks that have transactions."""
        found = self._node.ask("eth_feeHistory", hex(blocks), "latest", [50])
        base = answers.items(answers.member(found, "baseFeePerGas"))
        rewards = answers.items(found.get("reward") or [])
        used = answers.items(answers.member(found, "gasUsedRatio"))
        tips = [answers.number(answers.items(item)[0]) for item, full in zip(rewards, used, strict=False) if full]
        return Fees(answers.number(base[-1]) if base else 0, tuple(tips))

    def storage(self, address: Address, slot: int) -> int:
        """Returns one 32-byte word of a contract's storage as a number."""
        return answers.number(self._node.ask("eth_getStorageAt", address, hex(slot), "latest"))

    def block(self, number: int | None = None) -> Block:
        """Returns a block; None asks for the newest. NotFound where there is none."""
        tag = "latest" if number is None else hex(number)
        found = self._node.ask("eth_getBlockByNumber", tag, False)
        if found is None:
            raise NotFound(f"block was {number!r}", hint="the newest may be lower")
        return answers.block(found)

    def time(self) -> int:
        """Returns the newest block's time in seconds since 1970."""
        return self.block().time

    def _accounts(self) -> frozenset[Address]:
        if self._held is None:
            self._held = frozenset(answers.address(item) for item in answers.items(self._node.ask("eth_accounts")))
        return self._held

    def _filled(self, call: Call) -> dict[str, object]:
        """Returns a transaction's fields, with the nonce, the gas and the fees that the node tells."""
        asked = answers.asked(call)
        nonce, newest, tip, gas = self._node.tried(
            [
                ("eth_getTransactionCount", [call.sender, "pending"]),
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_maxPriorityFeePerGas", []),
                ("eth_estimateGas", [asked]),
            ]
        )
        for answer in (nonce, newest, *([] if call.gas else [gas])):
            if isinstance(answer, MercatoError):
                raise answer
        offered = 0 if isinstance(tip, MercatoError) else answers.number(tip)
        return {
            **asked,
            "chainId": self.chain_id,
            "nonce": answers.number(nonce),
            "maxPriorityFeePerGas": offered,
            "maxFeePerGas": 2 * answers.block(newest).base_fee + offered,
            "gas": call.gas or answers.number(gas) * (100 + SPARE) // 100,
        }

    def _why(self, receipt: Receipt) -> str:
        try:
            sent = self._node.ask("eth_getTransactionByHash", receipt.transaction)
            data, value = answers.octets(answers.member(sent, "input")), answers.number(answers.member(sent, "value"))
            gas = answers.number(answers.member(sent, "gas"))
            self.call(Call(receipt.sender, receipt.to, data, value, gas), at=receipt.block - 1)
        except Reverted as error:
            return error.reason
        except (BadAnswer, BadCall, Unreachable):
            return ""
        return ""


def _outcome(told: Any) -> Outcome:
    succeeded = answers.number(answers.member(told, "status")) == 1
    output = answers.octets(answers.member(told, "returnData"))
    gas = answers.number(answers.member(told, "gasUsed"))
    if succeeded:
        return Outcome(
            True, output, gas, tuple(answers.log(item) for item in answers.items(answers.member(told, "logs")))
        )
    why = told.get("error") or {}
    output = output or answers.octets(why.get("data") or "0x")
    said = str(why.get("message", ""))[:200].removeprefix("execution reverted").removeprefix(": ")
    return Outcome(False, b"", gas, (), reason(output) or said)
