"""Programs of a few instructions, as Solana's loader takes them: what an attacker would deploy, without a compiler.

An instruction is eight bytes: opcode, registers, offset, immediate value (the eBPF of `solana-sbpf`, version 0). An ELF
file of it needs a section `.text` with the entry point, and the names of the sections.
"""

from __future__ import annotations

import struct

from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import SOL, Account, Address
from mercato.chains.solana.testing import keys

LOADER = Address("BPFLoader2111111111111111111111111111111111")
EXIT = bytes([0x95]) + bytes(7)
SUCCEED = bytes([0xB7, 0]) + bytes(6)  # mov64 r0, 0
REFUSE = bytes([0xB7, 0]) + bytes(2) + struct.pack("<i", 77)  # mov64 r0, 77: a custom error
FOREVER = bytes([0x05, 0]) + struct.pack("<h", -1) + bytes(4)  # ja -1
DATA = 96  # where the first account's data lie in what a program is given
MARK = bytes([0x72, 1]) + struct.pack("<h", DATA) + struct.pack("<i", 7)  # stb [r1 + DATA], 7
_LAMPORTS, _SECOND = 80, 10_416  # where lamports of the first account lie, which has no data, and of the second
#: Gives all lamports of the first account to the second: a reward that anybody may call for.
REWARD = (
    struct.pack("<BBhi", 0x79, 0x12, _LAMPORTS, 0)  # ldxdw r2, [r1 + _LAMPORTS]
    + struct.pack("<BBhi", 0x79, 0x13, _SECOND, 0)  # ldxdw r3, [r1 + _SECOND]
    + struct.pack("<BBhi", 0x0F, 0x23, 0, 0)  # add64 r3, r2
    + struct.pack("<BBhi", 0x7B, 0x31, _SECOND, 0)  # stxdw [r1 + _SECOND], r3
    + struct.pack("<BBhi", 0x7A, 0x01, _LAMPORTS, 0)  # stdw [r1 + _LAMPORTS], 0
)
_HEAD, _SECTION, _SEGMENT = 64, 64, 56


def elf(*code: bytes) -> bytes:
    """Returns a program of instructions."""
    text = b"".join(code)
    names = b"\0.text\0.shstrtab\0"
    start = _HEAD + _SEGMENT
    after = start + len(text)
    sections = -(-(after + len(names)) // 8) * 8
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, 247, 1, start, _HEAD, sections, 0, _HEAD, _SEGMENT, 1, _SECTION, 3, 2
    )  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 1, 5, start, start, start, len(text), len(text), 8)
    listed = bytes(_SECTION) + _section(1, 1, 6, start, start, len(text)) + _section(7, 3, 0, 0, after, len(names))
    return (head + segment + text + names).ljust(sections, b"\0") + listed


def deployed(cluster: LocalCluster, *code: bytes) -> Address:
    """Puts a program onto a cluster and returns its address."""
    place = keys()[9].address
    cluster.put(place, Account(SOL, LOADER, elf(*code), executable=True))
    return place


def _section(name: int, kind: int, flags: int, at: int, place: int, size: int) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, kind, flags, at, place, size, 0, 0, 8, 0)
