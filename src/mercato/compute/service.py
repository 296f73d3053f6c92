"""The compute room as the application sees it: its books, opened for as long as something is done with them.

The gateway is a process of its own, `mercato compute serve`, which shares nothing with this one but the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from mercato.compute import keeping
from mercato.compute.books import Clerk, Signer, epochs
from mercato.compute.books.epochs import HOLDBACK, Epoch, Settlement
from mercato.compute.books.till import Till
from mercato.compute.model import Offer, Provider
from mercato.core.clock import Clock


class Compute:
    """The room on a database. Safe to share between threads: each use has a connection of its own.

    `operators` are the people who may see what users spend, by name, with the accounts that they sign in with; `listed`
    are the upstreams of the settings with what they serve. `attest` checks those in trusted machines that are due.
    """

    def __init__(
        self, url: str, clock: Clock, signer: Signer, *, holdback: timedelta = HOLDBACK,
        operators: Mapping[str, str] | None = None, listed: Sequence[tuple[Provider, Offer]] = (),
        sign_in_chain: str = "", attest: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        self.url, self.clock, self.signer, self.holdback = url, clock, signer, holdback
        self.operators, self.listed, self.sign_in_chain = dict(operators or {}), tuple(listed), sign_in_chain
        self.attest = attest

    @contextmanager
    def till(self) -> Iterator[Till]:
        """Gives the books, and closes them afterwards."""
        opened = Till(self.url, self.clock, self.signer)
        try:
            yield opened
        finally:
            opened.close()

    def recover(self) -> int:
        """Releases what dead workers of the gateway left open; returns how many requests."""
        clerk = Clerk(self.url, self.clock, self.signer)
        try:
            if clerk.idle():
                return 0
            clerk.open()
            return clerk.abandon()
        finally:
            clerk.close()

    def close_epoch(self) -> Epoch | None:
        """Closes an epoch over what was served since the last one; None where nothing was."""
        with self.till() as till:
            return epochs.close(till, self.holdback)

    def release(self) -> list[Settlement]:
        """Makes earnings due whose holdback is over."""
        with self.till() as till:
            return epochs.release(till)

    def forget(self) -> None:
        """Drops what was kept for a while."""
        with self.till() as till:
            keeping.forget(till)
