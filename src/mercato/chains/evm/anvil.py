"""Foundry's local node as a process of our own: the peer that the embedded chain is compared with."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from mercato.chains.errors import StaleSnapshot, Unreachable
from mercato.chains.evm.endpoint import Endpoint
from mercato.chains.evm.local import START
from mercato.chains.evm.rpc import Rpc
from mercato.chains.model import Address, Controls
from mercato.core.settings import Secret, inherited

_LISTENS = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")


class Anvil(Rpc, Controls):
    """An `anvil` on loopback with Cancun rules and no fees, which takes any sender's word. `close` ends it."""

    def __init__(self, program: Path, chain_id: int = 31337, start: int = START, *, automine: bool = True) -> None:
        self._folder = TemporaryDirectory()
        said = Path(self._folder.name) / "said"  # a pipe that nobody reads would fill and stop the node
        with said.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - whoever runs this names the program, its options are ours
                [
                    str(program), "--port", "0", "--chain-id", str(chain_id), "--timestamp", str(start), "--order",
                    "fifo", "--hardfork", "cancun", "--block-base-fee-per-gas", "0", "--gas-price", "0",
                    "--auto-impersonate", "--disable-min-priority-fee", *([] if automine else ["--no-mining"]),
                ],
                stdout=output, stderr=subprocess.STDOUT, env=inherited(["PATH", "HOME"]),
            )  # fmt: skip
        try:
            self.url = f"http://127.0.0.1:{self._port(said)}"
            super().__init__(Endpoint(Secret(self.url)), chain_id, any_sender=True)
        except BaseException:
            self._end()
            raise
        self._marks: list[str] = []

    def close(self) -> None:
        """Ends the process."""
        super().close()
        self._end()

    def fund(self, address: Address, wei: int) -> None:
        """Sets an account's balance."""
        self._node.ask("anvil_setBalance", address, hex(wei))

    def mine(self, blocks: int = 1, *, seconds: int = 1) -> None:
        """Makes blocks; the first takes all that waits and lies `seconds` after the newest, the others one each."""
        newest = self.time()
        for place in range(blocks):
            self._node.ask("evm_mine", hex(newest + seconds + place))

    def automine(self, on: bool) -> None:
        """Says whether each transaction gets a block of its own at once, or waits for `mine`."""
        self._node.ask("evm_setAutomine", on)

    def snapshot(self) -> int:
        """Returns a mark to come back to. Marks are reverted newest first."""
        self._marks.append(self._node.ask("evm_snapshot"))
        return len(self._marks)

    def revert(self, mark: int) -> None:
        """Goes back to a mark and forgets it; StaleSnapshot unless it is the newest one."""
        if mark != len(self._marks) or not self._marks:
            raise StaleSnapshot(f"mark was {mark!r}, the newest one is {len(self._marks)}", hint="revert newest first")
        self._node.ask("evm_revert", self._marks.pop())

    def _port(self, said: Path, seconds: int = 30) -> int:
        """Returns where the node listens, once it says so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.poll() is None:
            if found := _LISTENS.search(said.read_bytes()):
                return int(found[1])
            time.sleep(0.02)
        raise Unreachable(f"anvil said {said.read_bytes()[-200:]!r}", hint="does it start by hand?")

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
