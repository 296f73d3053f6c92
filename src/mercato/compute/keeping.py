"""What the books need now and then: what the dead left is released, and what was kept for a while is dropped."""

from __future__ import annotations

from datetime import timedelta

from mercato.compute import roster
from mercato.compute.books.till import Till
from mercato.compute.books.words import micros
from mercato.compute.tee import findings

EVIDENCE = timedelta(days=30)
HEALTH = timedelta(days=1)
FINDINGS = timedelta(days=30)


def forget(till: Till) -> None:
    """Drops answers that were kept for repeated requests, and prompts that nobody audited. The log stays whole."""
    bare, now = till.bare, till.clock.now()
    with bare.transaction():
        bare.run("DELETE FROM compute_answer WHERE until_us <= ?", (micros(now),))
        bare.run(
            "UPDATE compute_audit SET state = 'void', evidence = NULL WHERE state = 'wanted' AND at_us < ?",
            (micros(now - EVIDENCE),),
        )
        roster.forget(bare, now, HEALTH)
        findings.forget(bare, now - FINDINGS)
