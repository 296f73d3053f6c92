"""Methods that send: signed transactions of anybody, and unsigned ones of the accounts that development shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mercato.chains.errors import BadCall
from mercato.chains.evm.engine import GAS_LIMIT
from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import wire
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import SERVER, Fault
from mercato.chains.facade.gas import estimate
from mercato.chains.facade.reads import afford, argument, call_of
from mercato.chains.model import Address, Hash
from mercato.chains.transactions import Transaction, decode


class Sends:
    """Takes transactions. `accounts` are those for which it sends without a signature; `sent` is told of each."""

    def __init__(self, chain: LocalChain, accounts: Sequence[Address], sent: Callable[[Hash], None]) -> None:
        self._chain, self._accounts, self._sent = chain, tuple(accounts), sent

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        return {
            "eth_accounts": lambda params: list(self._accounts),
            "eth_sendRawTransaction": self.raw,
            "eth_sendTransaction": self.unsigned,
        }

    def raw(self, params: Sequence[object]) -> str:
        """`eth_sendRawTransaction`: refusals in the words that clients look for."""
        signed = wire.octets(argument(params, 0, "transaction"), "transaction")
        try:
            item = decode(signed)
        except BadCall as error:
            raise Fault(SERVER, f"rlp: {error}") from error
        self._check(item)
        return self._told(self._chain.send_raw(signed))

    def unsigned(self, params: Sequence[object]) -> str:
        """`eth_sendTransaction`, of the shared accounts only; one that would revert is refused with its reason."""
        given = wire.fields(argument(params, 0, "transaction"), "transaction")
        call = call_of(given)
        if call.sender not in self._accounts:
            raise Fault(SERVER, "unknown account")
        if given.get("nonce") is not None:
            self._nonce(call.sender, wire.integer(given["nonce"], "nonce"))
        afford(self._chain, call)
        gas = estimate(self._chain, call) if call.gas is None else call.gas
        return self._told(self._chain.send(replace(call, gas=gas)))

    def _told(self, hash: Hash) -> str:
        self._sent(hash)
        return hash

    def _check(self, item: Transaction) -> None:
        chain = self._chain
        if item.chain_id not in (None, chain.chain_id):
            raise Fault(SERVER, f"invalid chain id for signer: have {item.chain_id} want {chain.chain_id}")
        if chain.transaction(item.hash):
            raise Fault(SERVER, "already known")
        self._nonce(item.sender, item.nonce)
        if item.gas > GAS_LIMIT:
            raise Fault(SERVER, f"exceeds block gas limit: gas {item.gas}, limit {GAS_LIMIT}")
        if (least := intrinsic(item)) > item.gas:
            raise Fault(SERVER, f"intrinsic gas too low: gas {item.gas}, minimum needed {least}")
        if item.max_fee < item.max_tip:
            raise Fault(
                SERVER,
                "max priority fee per gas higher than max fee per gas: "
                f"maxPriorityFeePerGas: {item.max_tip}, maxFeePerGas: {item.max_fee}",
            )
        wanted, balance = item.value + item.gas * item.max_fee, chain.balance(item.sender)
        if wanted > balance:
            short = f"address {item.sender} have {balance} want {wanted}"
            raise Fault(SERVER, f"insufficient funds for gas * price + value: {short}")

    def _nonce(self, sender: Address, nonce: int) -> None:
        state = self._chain.nonce(sender)
        if nonce != state:
            way = "low" if nonce < state else "high"
            raise Fault(SERVER, f"nonce too {way}: address {sender}, tx: {nonce} state: {state}")


def intrinsic(item: Transaction) -> int:
    """Returns the gas that a transaction costs before it runs (EIP-2028, EIP-2930, EIP-3860)."""
    zeros = item.data.count(0)
    creation = 0 if item.to else 32_000 + 2 * -(-len(item.data) // 32)
    accesses = sum(2_400 + 1_900 * len(slots) for _, slots in item.accesses)
    return 21_000 + creation + accesses + 4 * zeros + 16 * (len(item.data) - zeros)
