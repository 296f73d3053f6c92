"""Methods that only a chain of one's own allows: blocks and time by hand, going back, money from nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import wire
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import PARAMS, Fault
from mercato.chains.facade.reads import argument, optional

BLOCKS = 10_000  # that one request may make
SECONDS = 10 * 365 * 86_400  # that it may pass over


class Development:
    """Drives the chain. `moved` is called after each change."""

    def __init__(self, chain: LocalChain, moved: Callable[[], None]) -> None:
        self._chain, self._moved = chain, moved
        self._marks: list[int] = []
        self._lock = threading.Lock()

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        return {
            "evm_mine": self.mine,
            "evm_snapshot": self.snapshot,
            "evm_revert": self.revert,
            "evm_increaseTime": self.increase,
            "anvil_setBalance": self.fund,
        }

    def mine(self, params: Sequence[object]) -> str:
        """`evm_mine`: one block, at a time in seconds where one is given, or {"blocks": n}."""
        given = optional(params, 0)
        options = given if isinstance(given, dict) else {"timestamp": given}
        blocks = 1 if options.get("blocks") is None else number(options["blocks"], "blocks", BLOCKS)
        at = options.get("timestamp")
        seconds = 1 if at is None else number(at, "timestamp", 2**63) - self._chain.time()
        if not 0 <= seconds <= SECONDS or not blocks:
            raise Fault(PARAMS, f"invalid argument: {blocks} blocks, the first {seconds} seconds after the newest")
        self._chain.mine(blocks, seconds=seconds)
        self._moved()
        return "0x0"

    def snapshot(self, params: Sequence[object]) -> str:
        """`evm_snapshot`: a mark to come back to."""
        with self._lock:
            mark = self._chain.snapshot()
            self._marks.append(mark)
        return wire.quantity(mark)

    def revert(self, params: Sequence[object]) -> bool:
        """`evm_revert`: goes back to a mark and forgets it and later ones; false where there is no such."""
        wanted = number(argument(params, 0, "snapshot"), "snapshot", 2**63)
        with self._lock:
            if wanted not in self._marks:
                return False
            while self._marks and self._marks[-1] >= wanted:
                self._chain.revert(self._marks[-1])
                self._marks.pop()
        self._moved()
        return True

    def increase(self, params: Sequence[object]) -> int:
        """`evm_increaseTime`: seconds pass, which a block made at once shows."""
        seconds = number(argument(params, 0, "seconds"), "seconds", SECONDS)
        self._chain.mine(1, seconds=max(1, seconds))
        self._moved()
        return seconds

    def fund(self, params: Sequence[object]) -> None:
        """`anvil_setBalance`: sets an account's wei."""
        account = wire.address(argument(params, 0, "address"))
        self._chain.fund(account, number(argument(params, 1, "wei"), "wei", 2**200))


def number(value: object, what: str, most: int) -> int:
    """Returns a whole number, which clients of these methods write as a quantity or as a plain number."""
    found = value if isinstance(value, int) and not isinstance(value, bool) else wire.integer(value, what)
    if not 0 <= found <= most:
        raise Fault(PARAMS, f"invalid argument: {what} was {found}, expected 0 to {most}")
    return found
