"""What a call costs by the exact engine, on the state of a chain whose own engine counts too little.

py-evm reads accounts, code and slots from that chain when it first asks for them, each cold, as a real node has them
at the start of a transaction. Nothing that it writes is kept.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mercato.chains.evm.exact import PyEvm

if TYPE_CHECKING:
    from mercato.chains.evm.borrowed import State


class Measured(PyEvm):
    """An exact engine on the state of another chain. Only `peek` is of use: every run starts from that state again."""

    def __init__(self, chain_id: int, state: State) -> None:
        super().__init__(chain_id)
        from mercato.chains.evm.borrowed import Borrowed  # imports py-evm, which the line above did with care

        made = partial(Borrowed, source=state)
        self._rules = type("BorrowedState", (self._rules,), {"account_db_class": made})

    def _persist(self, state: Any) -> None:
        """Keeps nothing."""
