"""One node that is connected: who it is, what it offers now, and when it was heard last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex

from mercato.compute.model import Offer, Provider, Receipt
from mercato.compute.node.attesting import Parts, Question
from mercato.compute.node.offers import Offering
from mercato.compute.node.roll import SERVING
from mercato.compute.node.tunnel import Tunnel
from mercato.compute.node.wire import Wire
from mercato.core.errors import InvalidInput
from mercato.core.events import Json

CONTROLS = 200  # control messages within one beat: receipts of a busy node are answered one by one
MISSES = 3  # beats without a word after which a node is taken for dead
SHOWN = 10_000  # receipts that wait for a word
AGAIN = 3600.0  # seconds after which a node is asked again what it serves
STRIKES = 5  # documents of offers that were refused


@dataclass(slots=True)
class Member:
    """A connected node. Times are seconds of the event loop's clock."""

    provider: Provider
    wire: Wire
    tunnel: Tunnel
    heard: float
    instance: str = ""
    offering: Offering | None = None
    draining: bool = False
    tried: bool = False
    strikes: int = 0
    controls: int = 0
    shown: dict[str, Receipt] = field(default_factory=dict)
    document: Mapping[str, Json] = field(default_factory=dict)  # the offers that `question` is about, as they came
    question: Question | None = None
    asked: float = 0.0
    attested: Mapping[str, Parts] = field(default_factory=dict)

    def spoke(self, now: float) -> None:
        """Notes that something came."""
        self.heard = now

    def controlled(self, *, dear: bool) -> None:
        """Counts a control message, one that takes a transaction tenfold; InvalidInput for too many in one beat."""
        self.controls += 10 if dear else 1
        if self.controls > CONTROLS:
            raise InvalidInput(f"control messages were {self.controls} in one beat", hint=f"at most {CONTROLS}")

    def struck(self, wrong: InvalidInput) -> None:
        """Counts a document that was refused; raises the refusal again where there were too many."""
        self.strikes += 1
        if self.strikes >= STRIKES:
            raise wrong

    def show(self, receipt: Receipt) -> None:
        """Notes a receipt that the node is shown; the oldest is forgotten where too many were not answered."""
        self.shown[receipt.request] = receipt
        if len(self.shown) > SHOWN:
            del self.shown[next(iter(self.shown))]

    def asks(self, document: Mapping[str, Json], now: float) -> Question | None:
        """Returns what to ask about what is offered in a document; None where nothing is to be asked now."""
        offering = self.offering
        if offering is None or self.question or not any(one.parts for one in offering.offers):
            return None
        known = all(self._attested(one) for one in offering.offers)
        if self.asked and known and now - self.asked < AGAIN:
            return None
        self.document, self.asked = document, now
        self.question = Question(offering.gateway, token_hex(32), offering.signature)
        return self.question

    def offers(self, now: datetime) -> tuple[Offer, ...]:
        """Returns what this node may be asked for now: nothing while it is pending, leaving, or its word is over, and
        nothing of which it named parts and did not attest them."""
        if self.offering is None or self.draining or self.provider.standing not in SERVING:
            return ()
        held = self.offering.offers if self.offering.until > now else ()
        return tuple(one for one in held if self._attested(one))

    def _attested(self, offer: Offer) -> bool:
        known = self.attested.get(offer.model, {})
        return all(known.get(part) == hash for part, hash in offer.parts.items())
