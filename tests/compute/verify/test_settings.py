"""Settings of auditing that cannot work are refused when they are read."""

import pytest
from pydantic import ValidationError

from mercato.compute.settings import Auditing, ComputeSettings, Upstream
from mercato.core.settings import Secret

REFERENCE = {"reference": Upstream(url="http://127.0.0.1:1/v1", private=True)}


@pytest.mark.parametrize(
    ("audit", "why"),
    [
        (Auditing(checker="nobody"), "checker was 'nobody'"),
        (Auditing(checker="reference", canaries=1), "without canary_key"),
        (Auditing(canaries=1, canary_key=Secret("mk_a")), "without canary_key"),
        (Auditing(checker="reference", witnesses="canaries"), "without canary_key"),
    ],
)
def test_what_cannot_work_is_refused(audit: Auditing, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ComputeSettings(upstreams=REFERENCE, audit=audit)


def test_the_key_of_the_canaries_does_not_print() -> None:
    assert "mk_a" not in repr(Auditing(checker="reference", canaries=1, canary_key=Secret("mk_a")))
