"""Pages say in words what an audit found, by whatever method."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mercato.compute.audits import Audit
from mercato.compute.model import AuditId, ProviderId, RequestId
from mercato.compute.office import views
from mercato.compute.verify.known import Reply
from mercato.compute.verify.match import Match
from mercato.compute.verify.protocol import Fault
from mercato.compute.verify.record import Finding
from mercato.compute.verify.signature import Signed
from mercato.compute.verify.toploc import Errors, Opened
from mercato.compute.verify.vectors import Gap

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def told(statistic: dict[str, Any]) -> str:
    audit = Audit(
        RequestId("req_1"), ProviderId("prov_1"), "m", NOON, AuditId("audit_1"), "method", statistic, "pass", "", NOON
    )
    return str(views.audit(audit, str)["statistic"])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Match(40, 39), "39 of 40 tokens match"),
        (Gap(4, 120), "4 vectors are 120 billionths from the reference's at most"),
        (Opened((Errors(3), Errors(1)), missing=1), "2 commitments opened, 1 missing, 3 exponents others at most"),
        (Reply("capital", right=True), "a question whose answer was known beforehand"),
        (Fault("end: was none"), "end: was none"),
        (Signed("was missing"), "the machine's signature: was missing"),
    ],
    ids=["tokens", "vectors", "commitments", "canary", "protocol", "signature"],
)
def test_what_was_found_is_told_with_the_fails_up_to_then(found: Finding, said: str) -> None:
    assert told(found.body() | {"fails": 1, "audits": 9}) == f"{said}; 1 of its 9 audits failed by then"


def test_of_an_audit_that_waits_nothing_is_told() -> None:
    assert told({}) == ""
