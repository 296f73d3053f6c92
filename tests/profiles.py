"""How long the tests may take: `make test` is quick, `make test PROFILE=nightly` is thorough."""

from __future__ import annotations

import os

PROFILE = os.environ.get("MERCATO_TEST_PROFILE") or "default"
MORE = 20


def examples(count: int) -> int:
    """Returns how many examples a costly property is tried with: `count`, and many more at night."""
    return count * MORE if PROFILE == "nightly" else count
