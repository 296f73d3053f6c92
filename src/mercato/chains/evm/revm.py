"""The fast engine: revm through pyrevm, with what pyrevm leaves to its caller.

pyrevm keeps one open journal for good. So accounts and slots stay warm and `gas_used` is too low from the second
transaction on; transient storage is cleared here before each. A message call counts no nonce, and a nonce set by hand
is not journalled, so each mark remembers the nonces that it has to put back. Wei move only in ways that are journalled:
fees as a transfer, money from nowhere out of a rich account. BLOCKHASH answers with pyrevm's own values, BASEFEE 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from mercato.chains.addresses import keccak
from mercato.chains.errors import BadCall
from mercato.chains.evm.engine import COINBASE, GAS_LIMIT, INVALID, OUT_OF_GAS, Engine, Head, Message, Result, Written
from mercato.chains.model import Address

_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")
_PADDING = bytes(33)
_MINT = Address("0x" + "aa" * 20)


@dataclass
class _Mark:
    """A checkpoint, and the nonces that those had who have sent since."""

    checkpoint: Any  # pyrevm's own handle, opaque
    nonces: dict[Address, int] = field(default_factory=dict)


class Revm(Engine):
    """revm with Cancun rules."""

    exact = False

    def __init__(self, chain_id: int) -> None:
        import pyrevm

        self._revm: Any = pyrevm
        # The name of the rules is matched exactly; anything else would silently mean the newest ones.
        env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=chain_id))
        self._evm: Any = pyrevm.EVM(env=env, gas_limit=GAS_LIMIT, spec_id="Cancun")
        self._evm.insert_account_info(_MINT, pyrevm.AccountInfo(2**240))
        self._marks: list[_Mark] = []

    def run(self, message: Message, head: Head) -> Result:
        """Runs a transaction, counts the sender's nonce up and takes the fee; BadCall where it cannot be paid."""
        if self.balance(message.sender) < message.value + message.gas * message.price:
            raise BadCall(
                f"balance of {message.sender} was {self.balance(message.sender)} wei",
                hint=f"value and gas may take {message.value + message.gas * message.price} wei",
            )
        before = self.nonce(message.sender)
        result = self.peek(message, head)
        if message.price:
            self._transfer(message.sender, COINBASE, result.gas_used * message.price)
        for mark in self._marks:
            mark.nonces.setdefault(message.sender, before)
        self._set_nonce(message.sender, before + 1)  # a create has counted it already, a call has not
        return result

    def peek(self, message: Message, head: Head) -> Result:
        """Runs a message that costs no fee, of any account; its changes stay until `back`. BadCall as above."""
        self._evm.set_block_env(
            self._revm.BlockEnv(
                number=head.number, coinbase=COINBASE, timestamp=head.time, difficulty=0,
                prevrandao=head.randomness, basefee=0, gas_limit=GAS_LIMIT, excess_blob_gas=0,
            )
        )  # fmt: skip
        self._evm.reset_transient_storage()
        output, created = b"", None
        if message.accesses:
            accesses = [(who, list(slots)) for who, slots in message.accesses]
            self._evm.set_tx_env(self._revm.TxEnv(access_list=accesses))
        try:
            if message.to is None:
                created = Address(self._evm.deploy(message.sender, message.data, message.value, message.gas))
            else:
                output = self._evm.message_call(message.sender, message.to, message.data, message.value, message.gas)
        except RuntimeError as error:
            if self._evm.result is None:
                raise BadCall(f"transaction was refused: {error}", hint="see its sender, value and gas") from None
            found = _OUTPUT.search(str(error))
            output = bytes.fromhex(found[1]) if found else b""
        finally:
            if message.accesses:  # they would stay for whatever runs next
                self._evm.set_tx_env(self._revm.TxEnv())
        done = self._evm.result
        logs = tuple(_written(log) for log in done.logs)
        return Result(done.is_success, output, done.gas_used, logs, created, _halt(done.reason) if done.is_halt else "")

    def mark(self) -> None:
        """Remembers the state; marks nest."""
        self._marks.append(_Mark(self._evm.snapshot()))

    def back(self) -> None:
        """Returns to the newest mark and forgets it."""
        # Out of order pyrevm would wipe all state without a word; this stack cannot be.
        mark = self._marks.pop()
        self._evm.revert(mark.checkpoint)
        for address, nonce in mark.nonces.items():
            self._set_nonce(address, nonce)

    def keep(self) -> None:
        """Forgets the newest mark, and keeps what was done since."""
        self._marks.pop()
        self._evm.commit()

    def balance(self, address: Address) -> int:
        """Returns an account's wei."""
        return int(self._evm.get_balance(address))

    def nonce(self, address: Address) -> int:
        """Returns how many transactions an account has made, or contracts a contract."""
        return int(self._evm.basic(address).nonce)

    def code(self, address: Address) -> bytes:
        """Returns a contract's code."""
        code = bytes(self._evm.get_code(address) or b"")
        # pyrevm may answer with the padding that it appends for itself; the hash tells.
        padded = code.endswith(_PADDING) and keccak(code) != self._evm.basic(address).code_hash
        return code[: -len(_PADDING)] if padded else code

    def storage(self, address: Address, slot: int) -> int:
        """Returns one word of a contract's storage."""
        return int(self._evm.storage(address, slot))

    def set_balance(self, address: Address, wei: int) -> None:
        """Sets an account's wei."""
        more = wei - self.balance(address)
        if more > 0:
            # Created and gone in one message: it leaves its wei without running the receiver's code.
            self._evm.deploy(_MINT, b"\x73" + bytes.fromhex(address[2:]) + b"\xff", more)
        elif more < 0:
            self._transfer(address, _MINT, -more)

    def _transfer(self, sender: Address, to: Address, wei: int) -> None:
        try:
            self._evm.message_call(sender, to, b"", wei, 21_000)
        except RuntimeError as error:
            raise BadCall(f"{wei} wei of {sender} were not moved: {error}", hint="is it a contract?") from None

    def _set_nonce(self, address: Address, nonce: int) -> None:
        info = self._evm.basic(address)
        if info.nonce != nonce:
            # Without code: pyrevm lets only plain accounts send.
            self._evm.insert_account_info(address, self._revm.AccountInfo(info.balance, nonce))


def _halt(name: str) -> str:
    if name.startswith("OutOfGas"):
        return OUT_OF_GAS
    return INVALID if name in {"InvalidFEOpcode", "OpcodeNotFound"} else f"stopped by the EVM: {name}"


def _written(log: Any) -> Written:
    topics, data = log.data
    return Written(Address(log.address.lower()), tuple(topics), data)
