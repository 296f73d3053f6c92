"""This repository keeps the laws of its house."""

import gc
import importlib
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import doors, laws, words
from tests.house.tree import nodes, package, parse

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("house")  # one worker reads the tree
ROOMS = sorted(path.parent.name for path in package(ROOT).glob("*/__init__.py"))
LIGHT = sorted(set(ROOMS) - {"api", "web"})  # the doors that the command opens; these two are opened by the server
#: What runs at every start and was read by us: setuptools sets its own distutils up.
STARTING = ("distutils-precedence.pth",)
HEAVY = ("sqlalchemy", "ibis", "duckdb", "fastapi", "starlette", "httpx", "pyarrow", "scipy", "numpy", "pydantic")


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """Keeps the syntax of all files for the laws, and only for them; to look for cycles in it would double the time."""
    gc.disable()
    yield
    parse.cache_clear()
    nodes.cache_clear()
    gc.enable()


@pytest.mark.parametrize("law", [*laws.LAWS, *words.LAWS, *doors.LAWS], ids=lambda law: law.__name__)
def test_the_law_is_kept(law: laws.Law) -> None:
    assert list(law(ROOT)) == []


def test_long_files_are_reported() -> None:
    """Files past the soft budget are no fault yet; whoever touches one next should think of splitting it."""
    found = sorted(laws.long_files(ROOT, laws.FILE_SOFT), key=lambda item: -item[1])
    report = [f"{where} has {lines} lines, better at most {laws.FILE_SOFT}" for where, lines in found]
    assert sys.__stderr__ is not None
    sys.__stderr__.write("".join(f"\n{line}" for line in report))

    assert len(report) == len(found)


@pytest.mark.parametrize("room", ROOMS)
def test_a_door_holds_at_run_time_what_it_lists(room: str) -> None:
    module = importlib.import_module(f"mercato.{room}")
    offered = doors.listed(parse(package(ROOT) / room / "__init__.py"))

    assert [name for name in offered if getattr(module, name, None) is None] == []
    assert not hasattr(module, "no_such_name")


def test_opening_the_command_and_the_doors_loads_nothing_heavy() -> None:
    opened = ["mercato.cli", *(f"mercato.{room}" for room in LIGHT)]
    opened += [f"mercato.{path.parent.name}.commands" for path in package(ROOT).glob("*/commands.py")]
    script = f"import sys, {', '.join(opened)}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == []


def test_nothing_that_is_installed_runs_code_whenever_python_starts() -> None:
    """A `.pth` file whose line begins with `import` is code that no import shows: how a bad release gets in."""
    folder = Path(sysconfig.get_path("purelib"))
    lines = {
        path.name: [line for line in path.read_text().splitlines() if line.startswith(("import ", "import\t"))]
        for path in folder.glob("*.pth")
    }

    assert [name for name, found in lines.items() if found and name not in STARTING] == []
