"""What a rail is: the way from a plan to a block on one kind of chain. The kit stands on this, and on no chain.

    plan --ready--> tried, with its effects --sign--> bytes that are kept --send--> in a block --outcome--> what it did

Sending the same bytes twice spends nothing twice: on EVM chains they bear one nonce, on Solana one blockhash. `send`
raises Lost only where they can provably never come into a block any more; where nobody knows, it is Unreachable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mercato.core.events import Json
from mercato.kit.acts import Act, Signed
from mercato.kit.model import Effects, Plan

NOWHERE = -1  # the place of what is signed and not sent


class Lost(Exception):
    """A transaction that can never come into a block; `why` says it to people."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class AlreadyKnown(Exception):
    """The node has the transaction, so it need not be sent again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A plan that was tried, and what its transactions have to offer: `units` of gas or compute for each of them,
    at `price` for a unit at most, `tip` of it for the block's maker. The fee at most is within the effects."""

    plan: Plan
    effects: Effects
    units: tuple[int, ...] = ()
    price: int = 0
    tip: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act: effects, whether every step succeeded, the places used up, and each step as JSON."""

    effects: Effects
    succeeded: bool
    used: tuple[int, ...]
    body: dict[str, Json]


class Holder(Protocol):
    """A wallet, or any signer: it acts for one account."""

    @property
    def address(self) -> str:
        """The account that it signs for."""


class Fate(Protocol):
    """What became of a transaction that is in a block."""

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was to do."""


Place = TypeVar("Place", bound=str, contravariant=True)
Purse = TypeVar("Purse", bound=Holder, contravariant=True)
End = TypeVar("End", bound=Fate)


class Rail(Protocol[Place, Purse, End]):
    """One chain. Accounts are at a `Place`, a `Purse` signs for them, an `End` is a transaction's receipt."""

    @property
    def name(self) -> str:
        """The chain's CAIP-2 name."""

    @property
    def native(self) -> str:
        """The CAIP-19 name of the money that fees are paid in."""

    def ground(self, account: Place, seed: str = "") -> object:
        """Returns what actions work on. `seed` is the intent's id, from which new accounts may get their addresses."""

    def ready(self, account: Place, plan: Plan, assets: Iterable[str]) -> Ready:
        """Returns the plan with what it would do; `assets` are looked at in any case. WouldFail."""

    def places(self, account: Place, plan: Plan) -> tuple[int, int]:
        """Returns the least place that the plan's transactions may take, and how many places they need."""

    def sign(self, signer: Purse, ready: Ready, places: Sequence[int]) -> list[Signed]:
        """Returns each transaction signed, or the message. Taken where it would do something else by now."""

    def unsigned(self, account: Place, ready: Ready) -> list[bytes]:
        """Returns each transaction as a person's own wallet would sign it now; none of a message."""

    def send(self, account: Place, item: Signed) -> End:
        """Sends a transaction unless it is in a block already, and returns its receipt.

        Lost where it can never come into a block; BadCall where the chain refuses it for good; Unreachable where
        nobody knows.
        """

    def outcome(self, act: Act, found: Sequence[End]) -> Outcome:
        """Returns what an act did by the receipts of its transactions, as many as came into blocks."""
