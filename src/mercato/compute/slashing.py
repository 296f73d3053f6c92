"""The one way to a stake: two documents that a provider signed, and that cannot both be true."""

from __future__ import annotations

from mercato.compute import roster, statements
from mercato.compute.books import disputes
from mercato.compute.books.disputes import Dispute
from mercato.compute.books.till import Till
from mercato.compute.model import ProviderId
from mercato.compute.statements import Document
from mercato.compute.verify.standing import Event, step
from mercato.core.errors import InvalidInput, NotFound


def slash(till: Till, provider: ProviderId, first: Document, second: Document) -> Dispute:
    """Takes a provider's whole stake, withholds its pay and ejects it, because of what it signed.

    InvalidInput where its key did not sign both, or where both may be true: nothing else takes a stake. NotFound where
    there is no such provider, Conflict where it was taken for this before.
    """
    with till.writing() as pen:
        found = roster.one(pen.bare, provider)
        if found is None:
            raise NotFound(
                f"provider was {provider!r:.80}, which does not exist", hint="see `mercato compute providers`"
            )
        why = statements.contradiction(first, second, found.key) if found.key else ""
        if not why:
            hint = "both have to be signed by the provider's key, and be about the same thing"
            raise InvalidInput("documents do not contradict each other", hint=hint)
        made = disputes.slashed(pen, provider, statements.subject(first), why, [dict(first), dict(second)])
        standing, _ = step(found.standing, Event.CONTRADICTED)
        roster.stand(pen.bare, provider, standing, pen.at, why)
        return made
