"""A gateway holds in memory what serving takes, not what starting took: looked at from within one that serves."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mercato.compute.orders import Orders
from mercato.compute.settings import ComputeSettings, Upstream
from mercato.compute.starting import listen
from mercato.compute.testing import stub
from mercato.store.bare import Bare
from tests.compute.gateway.house import furnished
from tests.compute.gateway.test_operating import serving

#: What reads settings and commands, brings a database to its shape, draws pages, or is for another side of the room.
APART = {
    "pydantic", "pydantic_core", "pydantic_settings", "typer", "rich", "sqlalchemy", "alembic", "psycopg", "duckdb",
    "fastapi", "starlette", "jinja2", "httpx", "tokenizers", "numpy", "web3", "eth_account", "coincurve",
    "aiohttp", "attr", "websockets", "mercato.cli", "mercato.core.settings", "mercato.compute.node.dial",
    "mercato.compute.fleet",
}  # fmt: skip
WITHIN = """
import os, signal, socket, sys
from mercato.compute.opening import run
from mercato.compute.orders import Orders

def ready():
    print(*sys.modules)
    os.kill(os.getpid(), signal.SIGTERM)

run(Orders.read(int(sys.argv[2])), socket.socket(fileno=int(sys.argv[1])), ready=ready)
"""

#: Says how many blocks are apart while one is held, and how many once it was freed.
LARGE = """
import ctypes
from mercato.compute.gateway.memory import give_back, keep_large_apart

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", *"abcde")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
keep_large_apart()
bytes(16 << 20)  # glibc would take smaller ones from elsewhere from now on
before = libc.mallinfo2().hblks
held = bytes(2 << 20)
print(libc.mallinfo2().hblks - before)
del held
give_back()
print(libc.mallinfo2().hblks - before)
"""


def test_a_gateway_that_serves_holds_nothing_that_serving_does_not_take(tmp_path: Path, database: Path) -> None:
    home = furnished(tmp_path / "home", database)
    compute = ComputeSettings(upstreams={"one": Upstream(url="http://127.0.0.1:1/v1", private=True)}, admin="plane")
    handle = Orders(home, f"sqlite:///{home / 'mercato.db'}", compute).hand()
    with listen("127.0.0.1", 0) as place, open(handle, "rb"):
        ran = subprocess.run(
            [sys.executable, "-c", WITHIN, str(place.fileno()), str(handle)], pass_fds=(place.fileno(), handle),
            capture_output=True, text=True, check=True,
        )  # fmt: skip

    assert "mercato.compute.gateway.asgi" in ran.stdout.split()
    assert sorted(APART & set(ran.stdout.split())) == []


def test_a_connection_of_the_books_keeps_few_pages_in_memory(tmp_path: Path) -> None:
    with Bare(f"sqlite:///{tmp_path / 'a.db'}") as bare:
        ((kept,),) = bare.run("PRAGMA cache_size")

    assert kept == -512  # KiB: a worker has half a dozen of them, and each would keep 2 MB sooner or later


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="another library than glibc gives it back")
def test_a_large_block_is_the_systems_again_once_it_is_freed_also_after_a_larger_one() -> None:
    ran = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["1", "0"]


def test_the_process_that_looks_after_workers_holds_nothing_that_serves() -> None:
    script = "import sys, mercato.compute.worker; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert sorted((APART | {"uvicorn", "asyncio", "cryptography", "sqlite3"}) & set(ran.stdout.split())) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_the_command_becomes_the_gateway_and_leaves_behind_what_read_its_settings(
    tmp_path: Path, database: Path, workers: int
) -> None:
    home = furnished(tmp_path / "home", database)
    with stub() as one:
        (home / "mercato.toml").write_text(
            f'[compute]\nworkers = {workers}\nadmin = ""\n[compute.upstreams.one]\nurl = "{one.url}"\nprivate = true\n'
        )
        with serving(home) as (process, _):
            command = psutil.Process(process.pid).cmdline()

    assert "mercato.compute.worker" in command
    assert process.returncode == 0


def test_what_only_the_worker_can_find_wrong_is_told_as_the_command_would(tmp_path: Path, database: Path) -> None:
    home = furnished(tmp_path / "home", database)
    (home / "mercato.toml").write_text(
        '[compute.audit]\nchecker = "one"\ncanaries = 1\ncanary_key = "mk_unknown"\nwitnesses = "canaries"\n'
        '[compute.upstreams.one]\nurl = "http://127.0.0.1:1/v1"\nprivate = true\n'
    )
    ran = subprocess.run(
        [sys.executable, "-c", "from mercato.cli import main; main()", "compute", "serve", "--port", "0"],
        env={**os.environ, "MERCATO_HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ran.returncode == 2
    assert ran.stderr.startswith("error: key of the canaries was not known\nhint: ")
    assert "mk_unknown" not in ran.stderr
