"""Reads the state in the middle of a dry run: code that exists only there, and writes what it finds into its logs.

A simulation tells what calls return, and no balances. So before and after them the dry run calls an address at which,
in the simulation alone, code stands that asks BALANCE, EXTCODEHASH and static calls, and logs the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercato.chains import Address, Call
from mercato.chains.model import Outcome

ASKER, PROBER = Address("0x" + "9d" * 20), Address("0x" + "9e" * 20)  # nobody's accounts; they pay nothing
GAS = 6_000_000
QUESTION_GAS = 250_000  # what a contract may burn on one answer
_BALANCE, _CODE_HASH, _CODE_SIZE = 0x31, 0x3F, 0x3B
_ASK_AT = 0x80
MOST = 120  # questions in one probe: the embedded chain runs its code as a creation, of 49152 bytes (EIP-3860)


@dataclass(frozen=True, slots=True)
class Question:
    """What to read: the native balance, code hash or code size of an account, or `words` of a contract's answer."""

    kind: str
    of: Address
    data: bytes = b""
    words: int = 1

    def code(self) -> bytes:
        """Returns the code that asks this and logs the answer."""
        who = b"\x73" + bytes.fromhex(self.of[2:])
        if self.kind != "call":
            opcode = {"balance": _BALANCE, "code hash": _CODE_HASH, "code size": _CODE_SIZE}[self.kind]
            return who + bytes([opcode]) + b"\x60\x00\x52" + b"\x60\x20\x60\x00\xa0"
        size = 32 * self.words
        made = b"".join(b"\x60\x00\x60" + bytes([place]) + b"\x52" for place in range(0, size, 32))
        padded = self.data + bytes(-len(self.data) % 32)
        for place in range(0, len(padded), 32):
            made += b"\x7f" + padded[place : place + 32] + b"\x61" + (_ASK_AT + place).to_bytes(2, "big") + b"\x52"
        made += b"\x60" + bytes([size]) + b"\x60\x00" + b"\x61" + len(self.data).to_bytes(2, "big")
        made += b"\x60" + bytes([_ASK_AT]) + who + b"\x62" + QUESTION_GAS.to_bytes(3, "big") + b"\xfa"
        # Answered, and with as many words as were asked for: that flag is the log's topic.
        made += b"\x60" + bytes([size - 1]) + b"\x3d\x11\x16"
        return made + b"\x60" + bytes([size]) + b"\x60\x00\xa1"


def probe(questions: Sequence[Question]) -> Call:
    """Returns the call that asks them all."""
    return Call(ASKER, PROBER, gas=GAS, code=b"".join(item.code() for item in questions) + b"\x00")


def answers(outcome: Outcome, questions: Sequence[Question]) -> list[tuple[int, ...] | None]:
    """Returns the words of each answer in order; None where a contract gave none."""
    if not outcome.succeeded or len(outcome.logs) != len(questions):
        return [None] * len(questions)
    return [_words(log.data) if not log.topics or any(log.topics[0]) else None for log in outcome.logs]


def _words(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[place : place + 32], "big") for place in range(0, len(data), 32))
