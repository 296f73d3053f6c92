"""What our contracts cost, in `gas.json`: exact, so that a change shows in the diff of whoever made it.

MERCATO_GAS=refresh make test ARGS="tests/contracts -k gas"     writes the file anew
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

SNAPSHOT = Path(__file__).parent / "gas.json"
HINT = 'if the change is meant, run MERCATO_GAS=refresh make test ARGS="tests/contracts -k gas" and commit gas.json'


def kept() -> dict[str, dict[str, int]]:
    """Returns the kept costs by section."""
    found: dict[str, dict[str, int]] = {}
    return json.loads(SNAPSHOT.read_text(encoding="utf-8")) if SNAPSHOT.exists() else found


def expected(section: str, measured: Mapping[str, int]) -> Mapping[str, int]:
    """Returns the kept costs of one section; with MERCATO_GAS=refresh keeps the measured ones first."""
    if os.environ.get("MERCATO_GAS") == "refresh":
        sections = {**kept(), section: dict(measured)}
        SNAPSHOT.write_text(json.dumps(sections, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return kept().get(section, {})
