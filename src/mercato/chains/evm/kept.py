"""The embedded chain with a journal on disk: started again on the same file, it is the same chain, to the last hash.

Each block is one line of JSON, written when the block is made: its time, its hash and its transactions. Money from
nowhere is a line too, and going back is a line that says how many lines still count. Starting runs all blocks again; a
last line that was cut by a crash is dropped, and a block that comes out with another hash is Diverged: then the file
was altered, or was written by a release whose engine counted otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from mercato.chains.errors import Diverged
from mercato.chains.evm.engine import Head
from mercato.chains.evm.local import START, EngineName, LocalChain
from mercato.chains.evm.sealing import Done
from mercato.chains.model import Address, Call, Receipt
from mercato.chains.transactions import Transaction, decode, unsigned
from mercato.core.errors import Conflict

Line = dict[str, Any]
Progress = Callable[[int, int], None]


class KeptChain(LocalChain):
    """An embedded chain that outlives its process. `close` it; the file belongs to one process at a time."""

    def __init__(
        self,
        path: Path,
        chain_id: int = 31337,
        start: int = START,
        engine: EngineName = "pyrevm",
        automine: bool = True,
        clock: Callable[[], float] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._file = _held(path)
        self._count, self._counts, self._writing = 0, list[int](), False
        try:
            lines = read(path)
            super().__init__(chain_id, int(lines[0]["start"]) if lines else start, engine, automine=False)
            self._replay(lines[1:], progress)
        except BaseException:
            self._file.close()
            raise
        self._count, self._writing = len(lines), True
        if not lines:
            self._note({"start": start, "chain": chain_id})
        self.automine, self._clock = automine, clock

    def close(self) -> None:
        """Closes the journal; no block can be made after that."""
        self._file.close()

    def batch(self, calls: Sequence[Call]) -> tuple[Receipt, ...]:
        """Puts calls into one block, in order, whether they succeed or not, and returns their receipts."""
        with self._lock:
            kept, self.automine = self.automine, False
            try:
                hashes = [self.send(call) for call in calls]
                self.mine(seconds=self._next_time() - self.time())
            finally:
                self.automine = kept
            return tuple(self._ledger.receipts[item] for item in hashes if item in self._ledger.receipts)

    def fund(self, address: Address, wei: int) -> None:
        """Sets an account's balance."""
        with self._lock:
            super().fund(address, wei)
            self._note({"fund": address, "wei": str(wei)})

    def snapshot(self) -> int:
        """Returns a mark to come back to. Marks are reverted newest first, and do not outlive the process."""
        with self._lock:
            mark = super().snapshot()
            self._counts.append(self._count)
            return mark

    def revert(self, mark: int) -> None:
        """Goes back to a mark and forgets it; StaleSnapshot unless it is the newest one."""
        with self._lock:
            super().revert(mark)
            self._note({"keep": self._counts[-1]})
            self._count = self._counts.pop()

    def _seal(self, head: Head, done: Sequence[Done]) -> None:
        super()._seal(head, done)
        block = self._ledger.blocks[-1]
        self._note({"time": block.time, "hash": block.hash, "sent": [_packed(item) for item, _ in done]})

    def _note(self, line: Line) -> None:
        if self._writing:  # not while the journal itself is read
            self._count += 1
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()  # what the system has outlives this process

    def _replay(self, lines: Sequence[Line], progress: Progress | None) -> None:
        for done, line in enumerate(lines):
            if "fund" in line:
                super().fund(Address(line["fund"]), int(line["wei"]))
                continue
            self._waiting = [_unpacked(item, self.chain_id) for item in line["sent"]]
            self.mine(seconds=int(line["time"]) - self.time())
            if (made := self.block()).hash != line["hash"]:
                raise Diverged(f"block {made.number} was {line['hash']!r} in the journal and is {made.hash!r} now")
            if progress and done % 64 == 0:
                progress(done, len(lines))


def _held(path: Path) -> TextIO:
    """Returns the journal open for writing at its end, locked until it is closed; Conflict where another has it."""
    file = path.open("a", encoding="utf-8")
    try:
        _lock(file.fileno())
    except OSError:
        file.close()
        raise Conflict(f"journal was {path.name!r}, which another process holds", hint="stop that one first") from None
    return file


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def read(path: Path) -> list[Line]:
    """Returns the lines of a journal that still count; a last line that a crash cut is removed from the file."""
    if not path.exists():
        return []
    lines, size = [], 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.endswith(b"\n"):
                break
            try:
                lines.append(json.loads(raw))
            except ValueError:
                raise Diverged(f"line {number} of {path.name} was no JSON") from None
            size += len(raw)
    if size < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(size)
    return back(lines)


def back(lines: Sequence[Line]) -> list[Line]:
    """Returns the lines that count once every way back was taken."""
    kept: list[Line] = []
    for line in lines:
        if "keep" in line:
            del kept[int(line["keep"]) :]
        else:
            kept.append(line)
    return kept


def _packed(item: Transaction) -> str | list[Any]:
    """Returns a transaction as JSON values: a signed one as its bytes."""
    if item.raw:
        return item.raw.hex()
    return [item.sender, item.to, str(item.value), item.data.hex(), item.gas, item.nonce]


def _unpacked(item: str | list[Any], chain_id: int) -> Transaction:
    """Returns the transaction of JSON values."""
    if isinstance(item, str):
        return decode(bytes.fromhex(item))
    sender, to, value, data, gas, nonce = item
    call = Call(Address(sender), Address(to) if to else None, bytes.fromhex(data), int(value))
    return unsigned(call, chain_id, int(nonce), int(gas))
