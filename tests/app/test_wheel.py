"""What is installed from a wheel needs no source tree: pages, styles, histories and settings' defaults are inside."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "mercato"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ONLY_SOURCE = {"AGENTS.md", "deno.json", "deno.lock"}
NOT_SHIPPED = {"__pycache__", "islands", "static"}
READY = re.compile(r"http://127\.0\.0\.1:\d+")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree with what was built for its pages."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    # The islands are built already; building them here would take them from the servers of other tests.
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "MERCATO_SKIP_WEB": "1"})
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel's content in a folder of its own."""
    folder = wheel.parent / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_from(installed: Path, home: Path) -> dict[str, str]:
    """Returns an environment in which `mercato` is the unpacked wheel and its data folder is new."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "HOME": str(home), "MERCATO_HOME": str(home)}


def shipped() -> Iterator[str]:
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.name not in ONLY_SOURCE and not NOT_SHIPPED & set(path.parts):
            yield path.relative_to(ROOT / "src").as_posix()


def test_every_file_of_the_package_is_in_the_wheel_and_nothing_of_the_workshop(names: set[str]) -> None:
    packed = {name for name in names if ".dist-info/" not in name and "/static/" not in name}

    assert sorted(set(shipped()) - packed) == []
    assert sorted(packed - set(shipped())) == []
    assert {"LICENSE", "NOTICE"} <= {name.rsplit("/", 1)[-1] for name in names if "/licenses/" in name}


def test_the_licence_of_every_bundled_package_is_in_the_wheel(wheel: Path) -> None:
    packages = json.loads((PACKAGE / "web" / "deno.lock").read_text())["npm"]
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("mercato/web/static/licenses.txt").decode()
    parts = [text.partition(f"{name}\n{'=' * len(name)}\n\n")[2] for name in packages]

    assert packages
    assert all("Permission" in part[:400] and "WARRANT" in part for part in parts)


def test_the_package_imports_only_what_it_declares() -> None:
    declared = [
        *PROJECT["dependencies"],
        *(name for extra in PROJECT["optional-dependencies"].values() for name in extra),
    ]
    known = {re.split(r"[^\w.-]", name)[0].lower().replace("_", "-") for name in declared}
    owners = packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name!r}"
        for path in PACKAGE.rglob("*.py")
        for name in tops(ast.parse(path.read_text(encoding="utf-8")))
        if name not in sys.stdlib_module_names | {"mercato"}
        and not {owner.lower().replace("_", "-") for owner in owners.get(name, [])} & known
    }

    assert sorted(undeclared) == []


def tops(tree: ast.Module) -> set[str]:
    """The top names of what a module imports, wherever in it."""
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    given = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in plain | given}


def test_an_unpacked_wheel_serves_pages_with_their_styles_and_scripts(installed: Path, tmp_path: Path) -> None:
    main = "import sys, mercato; from mercato.cli import main; print(mercato.__file__, flush=True); main(sys.argv[1:])"
    command = [sys.executable, "-P", "-c", main, "up", "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=run_from(installed, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            loaded = process.stdout.readline().strip()
            address = next(found.group() for line in process.stdout if (found := READY.search(line)))
            page = httpx.get(address, headers={"accept": "text/html"}, follow_redirects=True)
            linked = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)))
            answers = [httpx.get(f"{address}{path}") for path in linked]
            inner = httpx.get(f"{address}/market/scenarios", headers={"accept": "text/html"})
            ready = httpx.get(f"{address}/readyz").json()
            process.send_signal(signal.SIGINT)
            ended = process.wait(60)
        finally:
            process.kill()

    assert Path(loaded).is_relative_to(installed)
    assert (page.status_code, inner.status_code, ended) == (200, 200, 0)
    assert ready == {"status": "ready", "failed": {}}, "the histories of the store come along"
    assert len(linked) >= 2
    assert [answer.status_code for answer in answers] == [200] * len(linked)
