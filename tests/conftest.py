"""What every test gets: no real network, real PostgreSQL when asked for, and marks that skip with a reason."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.profiles import PROFILE

if TYPE_CHECKING:
    from tests.postgres import Cluster

# The default profile draws the same examples each time; the nightly one looks for new ones.
settings.register_profile(
    "default", max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(PROFILE)
# Tests and the processes that they start share the cores already; threads of linear algebra would spin beside them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
RECURSION = sys.getrecursionlimit()


def found(variable: str, *programs: str) -> bool:
    """Whether a variable names a program, or one of these is on the path."""
    return bool(os.environ.get(variable)) or any(shutil.which(program) for program in programs)


def npm_packages() -> bool:
    """Whether the packages of tests/npm are here, or could be installed now."""
    from tests.npm import installed

    return installed()


CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "browser": (lambda: found("MERCATO_CHROMIUM", *CHROMIUM), "no Chromium is installed"),
    "spark": (lambda: found("JAVA_HOME", "java"), "no Java is installed"),
    "npm": (npm_packages, "the npm packages of tests/npm could not be installed"),
    "live": (lambda: os.environ.get("MERCATO_LIVE") == "1", "calls an outside service; set MERCATO_LIVE=1"),
    "nightly": (lambda: PROFILE == "nightly", "long; run make test PROFILE=nightly"),
}


def required() -> set[str]:
    return {name.strip() for name in os.environ.get("MERCATO_REQUIRE", "").split(",") if name.strip()}


def pytest_configure(config: pytest.Config) -> None:
    unknown = required() - set(NEEDS)
    if unknown:
        raise pytest.UsageError(f"MERCATO_REQUIRE was {sorted(unknown)!r}; known marks: {', '.join(NEEDS)}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sends what needs Spark to one worker, and each module of browser tests; first, since xdist reads it here."""
    for item in items:
        if item.get_closest_marker("spark"):
            item.add_marker(pytest.mark.xdist_group("spark"))
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(f"browser-{item.path.stem}"))


def pytest_collection() -> None:
    """Looks for no garbage while modules are read: next to nothing of them is."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leaves what was read out of later searches for garbage.

    It also undoes that clients which tests import (py_ecc below web3) let the process recurse a hundred times deeper.
    """
    gc.freeze()
    gc.enable()
    sys.setrecursionlimit(RECURSION)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, (present, reason) in NEEDS.items():
        if item.get_closest_marker(name) and not present():
            if name in required():
                pytest.fail(f"MERCATO_REQUIRE names {name!r}, but {reason}", pytrace=False)
            pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A required test that skips itself for any other reason fails too."""
    report: pytest.TestReport = yield
    named = sorted(name for name in required() if item.get_closest_marker(name))
    # What is left to another profile, or to the live services, is not missing here.
    left = any(item.get_closest_marker(name) and not NEEDS[name][0]() for name in set(NEEDS) - required())
    if report.skipped and named and not left and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"MERCATO_REQUIRE names {named!r}, but the test was skipped: {report.longrepr}"
    return report


class RealNetwork(Exception):
    """A test tried to reach a machine other than this one."""


def local(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) else ""
    return host in {"", "localhost", "::1", None} or str(host).startswith("127.")


@pytest.fixture(autouse=True)
def no_real_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses connections to other machines and look-ups of their names, in every test that is not marked live."""
    if request.node.get_closest_marker("live"):
        return
    real = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}
    look_up = socket.getaddrinfo

    def guard(name: str) -> Callable[..., Any]:
        def call(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and not local(address):
                raise RealNetwork(f"test connects to {address!r}; start a server on 127.0.0.1 instead")
            return real[name](self, address)

        return call

    def guarded_look_up(host: Any, *more: Any, **named: Any) -> Any:
        if not local((host.decode() if isinstance(host, bytes) else host,)):
            raise RealNetwork(f"test looks up {host!r}; use 127.0.0.1 instead")
        return look_up(host, *more, **named)

    for name in real:
        monkeypatch.setattr(socket.socket, name, guard(name))
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture(autouse=True)
def no_real_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the fuse before real chains in, whatever this machine's environment or data folder says."""
    monkeypatch.setenv("MERCATO_CHAINS_ALLOW_REAL_CHAINS", "false")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A real PostgreSQL of this test process, started when the first test asks for it."""
    from tests.postgres import Cluster

    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def npm() -> Callable[[str], Path]:
    """Returns the folder of an npm package by its name; for tests that are marked `npm`."""
    from tests.npm import package

    return package


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that MERCATO_HOME names."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("MERCATO_HOME", str(folder))
    monkeypatch.setenv("MERCATO_SEASON_ENABLED", "false")  # a test that wants a season says so
    return folder
