"""Lints the package in a copy of this tree again and again: as it is, then with one line planted at a time.

Run as a script in the root of the copy, with the copy's sources on the path. Which lines are planted comes in by
standard input; what held goes out by standard error, since the linter writes to the other. One process keeps what it
has read of each file, so that a plant costs the reading of one file and the check of one contract.
"""

import json
import sys
from pathlib import Path

from importlinter.application.use_cases import lint_imports
from importlinter.cli import lint_imports as _configured  # noqa: F401 - importing the command sets the linter up


def held(*contracts: str) -> bool:
    """Whether these contracts hold, or all where none is named; raises where the linter itself cannot go on."""
    return lint_imports(limit_to_contracts=contracts, cache_dir="read", is_debug_mode=True, no_logo=True)


def held_with(contract: str, file: str, line: str) -> bool:
    """Whether a contract holds while a line stands at the end of a file."""
    path = Path("src/mercato") / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        return held(contract)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")


if __name__ == "__main__":
    before = held()
    planted = [held_with(*plant) for plant in json.load(sys.stdin)]
    json.dump({"before": before, "planted": planted, "afterwards": held()}, sys.stderr)
