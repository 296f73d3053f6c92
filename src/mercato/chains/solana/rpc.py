"""Any Solana cluster behind a JSON-RPC endpoint. What is sent was signed before; the node sees no key."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from typing import Any, Literal

from mercato.chains.errors import BadAnswer, BadCall, Unreachable
from mercato.chains.evm.answers import items, member
from mercato.chains.evm.endpoint import Endpoint
from mercato.chains.solana import answers, clusters
from mercato.chains.solana.messages import decode, signature_of
from mercato.chains.solana.model import (
    PRICED,
    Account,
    Address,
    Block,
    Cluster,
    Lifetime,
    Outcome,
    Receipt,
    Signature,
)  # fmt: skip
from mercato.core import chain as names
from mercato.core.errors import NotFound
from mercato.core.settings import Secret

Commitment = Literal["processed", "confirmed", "finalized"]
AT_ONCE, PAGE = 100, 1000  # accounts and signatures in one answer
SKIPPED = 32  # slots below the newest one in which a block must be
FINAL = {"commitment": "finalized"}
PAUSE = 0.4  # seconds between two looks: a slot


class RemoteCluster(Cluster):
    """A cluster at a node, read as it is at a `commitment`. Sending needs a development cluster, or
    `allow_real_chains`.

    The endpoint must turn errors by `answers.error`. `expected` is what the node must say that it is; BadAnswer where
    it says something else.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        expected: names.Chain | None = None,
        *,
        allow_real_chains: bool = False,
        commitment: Commitment = "confirmed",
    ) -> None:
        self._node, self._allowed = endpoint, allow_real_chains
        self._at = {"commitment": commitment}
        # Blocks and transactions are only kept from `confirmed` on.
        self._kept = {"commitment": "confirmed" if commitment == "processed" else commitment}
        self._name = clusters.named(answers.blockhash(endpoint.ask("getGenesisHash")))
        if expected not in (None, self._name):
            raise BadAnswer(f"cluster at {endpoint.host} was {self._name}", hint=f"expected {expected}")

    @property
    def name(self) -> names.Chain:
        """The cluster's CAIP-2 name."""
        return self._name

    def close(self) -> None:
        """Closes the connections to the node."""
        self._node.close()

    def send_raw(self, signed: bytes) -> Signature:
        """Sends a signed transaction. BadCall or Reverted where the node's simulation refuses it."""
        clusters.check(self._name, self._node.host, allow_real_chains=self._allowed)
        decode(signed)
        name = signature_of(signed)
        options = {"encoding": "base64", "preflightCommitment": self._at["commitment"]}
        told = answers.signature(self._node.ask("sendTransaction", _text(signed), options))
        if told != name:
            raise BadAnswer(f"signature of the node was {told}", hint=f"expected {name}, the transaction's own")
        return name

    def receipt(self, transaction: Signature) -> Receipt | None:
        """Returns what became of a transaction; None where it is not in a block yet."""
        options = {**self._kept, "encoding": "json", "maxSupportedTransactionVersion": 0}
        found = self._node.ask("getTransaction", transaction, options)
        return None if found is None else answers.receipt(found, transaction)

    def wait(self, transaction: Signature, seconds: int = 60) -> Receipt:
        """Returns the receipt once there is one, of a failed transaction too; Unreachable after `seconds`."""
        end = time.monotonic() + seconds
        while (found := self.receipt(transaction)) is None:
            if time.monotonic() > end:
                raise Unreachable(
                    f"transaction was {transaction!r}, in no block after {seconds} s",
                    hint="did its blockhash expire?",
                )
            time.sleep(PAUSE)
        return found

    def balance(self, address: Address) -> int:
        """Returns the account's lamports."""
        return answers.number(self._value("getBalance", address))

    def time(self) -> int:
        """Returns the newest block's time in seconds since 1970."""
        return self.block().time

    def simulate(self, transaction: bytes, accounts: Sequence[Address] = (), *, after: Sequence[bytes] = ()) -> Outcome:
        """Returns what a transaction would do on the newest state, by the node's word; its signatures may be empty."""
        decode(transaction)
        if after:
            raise BadAnswer("a node tries each transaction alone", hint="make one transaction of them")
        options: dict[str, Any] = {**self._at, "encoding": "base64", "sigVerify": False, "replaceRecentBlockhash": True}
        if accounts:
            options["accounts"] = {"encoding": "base64", "addresses": list(accounts)}
        found = answers.outcome(member(self._node.ask("simulateTransaction", _text(transaction), options), "value"))
        if found.succeeded and len(found.accounts) != len(accounts):
            raise BadAnswer(f"accounts of the simulation were {len(found.accounts)}", hint=f"expected {len(accounts)}")
        return found

    def accounts(self, addresses: Sequence[Address]) -> tuple[Account | None, ...]:
        """Returns what lies at each address on one state; None where nothing does. BadCall for more than a hundred."""
        if len(addresses) > AT_ONCE:
            raise BadCall(f"addresses were {len(addresses)}", hint=f"one answer holds {AT_ONCE}; ask in parts")
        options = {**self._at, "encoding": "base64"}
        asked = self._node.ask("getMultipleAccounts", list(addresses), options)
        found = tuple(map(answers.account, items(member(asked, "value"))))
        if len(found) != len(addresses):
            raise BadAnswer(f"accounts of the node were {len(found)}", hint=f"expected {len(addresses)}")
        return found

    def owned(self, program: Address, size: int | None = None) -> dict[Address, Account]:
        """Returns the accounts that a program owns, of `size` bytes of data where one is given."""
        filters = [] if size is None else [{"dataSize": size}]
        options = {**self._at, "encoding": "base64", "filters": filters}
        found = items(self._node.ask("getProgramAccounts", program, options))
        read = {answers.address(member(one, "pubkey")): answers.account(member(one, "account")) for one in found}
        return {at: account for at, account in read.items() if account}

    def lifetime(self) -> Lifetime:
        """Returns the newest blockhash, and for how long it can be used."""
        found = self._value("getLatestBlockhash")
        height = answers.number(member(found, "lastValidBlockHeight"))
        return Lifetime(answers.blockhash(member(found, "blockhash")), height)

    def height(self, *, final: bool = False) -> int:
        """Returns the number of blocks below the newest one, or below the newest that can never be taken back."""
        return answers.number(self._node.ask("getBlockHeight", FINAL if final else self._at))

    def block(self, slot: int | None = None) -> Block:
        """Returns a block; None asks for the newest that the node has. NotFound where there is none."""
        if slot is not None:
            return self._block(slot)
        newest = answers.number(self._node.ask("getSlot", self._kept))
        for place in range(newest, max(-1, newest - SKIPPED), -1):
            try:
                return self._block(place)
            except NotFound:
                continue
        raise NotFound(f"newest slot was {newest!r}, without a block near it", hint="is the node catching up?")

    def fee(self, message: bytes) -> int:
        """Returns the lamports that sending a message costs. BadCall where its blockhash is too old."""
        found = self._value("getFeeForMessage", _text(message))
        if found is None:
            raise BadCall("message was refused: Blockhash not found", hint="take a newer blockhash")
        return answers.number(found)

    def rent(self, size: int) -> int:
        """Returns the lamports that an account with so many bytes of data must hold."""
        return answers.number(self._node.ask("getMinimumBalanceForRentExemption", size))

    def priorities(self, addresses: Sequence[Address] = ()) -> tuple[int, ...]:
        """Returns the least price of each recent block that the node knows, in micro-lamports per unit."""
        if len(addresses) > PRICED:
            raise BadCall(f"addresses were {len(addresses)}", hint=f"at most {PRICED}")
        found = items(self._node.ask("getRecentPrioritizationFees", list(addresses)))
        return tuple(answers.number(member(one, "prioritizationFee")) for one in found)

    def history(self, address: Address, limit: int = 100) -> tuple[Signature, ...]:
        """Returns the newest transactions that named an address, newest first."""
        found: list[Signature] = []
        while (left := min(limit - len(found), PAGE)) > 0:
            options = {**self._kept, "limit": left, **({"before": found[-1]} if found else {})}
            page = items(self._node.ask("getSignaturesForAddress", address, options))
            found += [answers.signature(member(one, "signature")) for one in page]
            if len(page) < left:
                break
        return tuple(found)

    def _block(self, slot: int) -> Block:
        options = {**self._kept, "transactionDetails": "signatures", "rewards": False}
        found = self._node.ask("getBlock", slot, options)
        if found is None:
            raise NotFound(f"slot was {slot!r}, of which the node has no block", hint="it was skipped, or is too new")
        return answers.block(found, slot)

    def _value(self, method: str, *params: Any) -> Any:
        return member(self._node.ask(method, *params, self._at), "value")


def connect(
    url: Secret,
    expected: names.Chain | None = None,
    *,
    seconds: float = 10.0,
    octets: int = 32_000_000,
    allow_real_chains: bool = False,
) -> RemoteCluster:
    """Returns the cluster at a node's address, a `Secret`; its connections are closed where it is another one."""
    endpoint = Endpoint(url, seconds=seconds, octets=octets, errors=answers.error)
    try:
        return RemoteCluster(endpoint, expected, allow_real_chains=allow_real_chains)
    except BaseException:
        endpoint.close()
        raise


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
