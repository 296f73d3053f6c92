"""The first steps of the page do what it says of them, on a chain that is served as there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mercato.chains.facade import Facade
from mercato.chains.testing import ACCOUNTS, local
from tests.docs.pages import blocks

PAGE = Path(__file__).parents[2] / "docs/rooms/kit.md"


def steps() -> str:
    """Returns the block of the operator's window."""
    (found,) = [block.text for block in blocks(PAGE.read_text()) if "policy set first.toml" in block.text]
    return found


def test_a_newcomer_pays_is_refused_and_waits_as_the_page_says(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with Facade(local(), 0, accounts=ACCOUNTS) as node:
        around = {"PATH": path, "HOME": str(tmp_path), "MERCATO_HOME": str(tmp_path), "COLUMNS": "120",
                  "MERCATO_CHAINS_RPC": node.url}  # fmt: skip
        done = subprocess.run(
            [shutil.which("bash") or "sh", "-e"], input=steps(), env=around, cwd=tmp_path, text=True,
            capture_output=True, timeout=240, check=False,
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert ": done\n" in done.stdout
    assert "deny: budget 'a day' has 600000000000000000 of" in done.stdout
    assert ": asked\n" in done.stdout
    assert "entries are as they were written" in done.stdout
