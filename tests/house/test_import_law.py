"""The import law is kept, and it catches every kind of import that it forbids, planted in a copy of the package."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
CONTRACTS = {
    c["id"]: c["name"]
    for c in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
PLANTS = [
    ("floors", "core/money.py", "import mercato.store.u256"),
    ("floors", "store/engine.py", "import mercato.market.model"),
    ("floors", "market/model.py", "import mercato.api"),
    ("floors", "market/service.py", "from mercato import web"),
    ("floors", "web/planted.py", "import mercato.api"),
    ("floors", "api/planted.py", "import mercato.app"),
    ("floors", "app.py", "import mercato.cli"),
    ("floors", "perks/__init__.py", '"""A room that nobody declared."""'),
    ("rooms", "market/tables.py", "import mercato.market.service"),
    ("rooms", "market/service.py", "import mercato.market.commands"),
    ("rooms", "market/model.py", "import mercato.market.tables"),
    ("market", "market/metrics/level.py", "import mercato.market.layers.raw"),
    ("market", "market/layers/parsers.py", "import mercato.market.connectors"),
    ("market", "market/service.py", "import mercato.market.connectors.git"),
    ("market", "market/service.py", "import mercato.market.report"),
    ("store", "store/jobs.py", "import mercato.store.worker"),
    ("store", "store/model.py", "import mercato.store.engine"),
    ("store", "store/planted.py", "x = 1"),
    ("core", "core/errors.py", "import mercato.core.ids"),
    ("core", "core/money.py", "import mercato.core.settings"),
    ("cycles", "market/metrics/numbers.py", "import mercato.market.metrics.level"),
    ("sql", "market/service.py", "import sqlalchemy"),
    ("sql", "market/metrics/level.py", "import duckdb"),
    ("sql", "api/planted.py", "from sqlalchemy import select"),
    ("sql", "app.py", "import psycopg"),
    ("models", "market/model.py", "import httpx"),
    ("models", "core/events.py", "import sqlalchemy"),
    ("light", "core/money.py", "import pydantic"),
    ("edges", "market/service.py", "import fastapi"),
    ("edges", "market/metrics/level.py", "import jinja2"),
    ("edges", "market/layers/parsers.py", "import starlette.requests"),
    ("edges", "store/worker.py", "import typer"),
    ("evm", "launch/planted.py", "import pyrevm"),
    ("evm", "contracts/planted.py", "from eth_account import Account"),
    ("market-service", "cli/planted.py", "import mercato.market.service"),
    ("market-tables", "app.py", "import mercato.market.tables"),
    ("market-tables", "app.py", "import mercato.market.report.tables"),
    ("floors", "launch/planted.py", "import mercato.kit"),
    ("sql", "kit/planted.py", "import sqlalchemy"),
    ("evm", "kit/planted.py", "import eth_abi"),
    ("agents", "kit/offers.py", "import pydantic_ai"),
    ("agents", "cli/planted.py", "from mcp import types"),
    ("launch-inside", "cli/planted.py", "import mercato.launch.service"),
    ("store-tables", "market/service.py", "import mercato.store.tables"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(folder / "src"), "PATH": "", "NO_COLOR": "1", "COLUMNS": "300"}
    return subprocess.run(
        [sys.executable, "-P", "-c", LINT], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package's Python files with the law beside it."""
    only_python = shutil.ignore_patterns("__pycache__", "static", "islands", "templates", "*.db")
    shutil.copytree(ROOT / "src" / "mercato", tmp_path / "src" / "mercato", ignore=only_python)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_import_law_is_kept_by_a_copy(copy: Path) -> None:
    ran = lint(copy)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [name for name in CONTRACTS.values() if f"{name} KEPT" not in ran.stdout] == []


@pytest.mark.parametrize(("contract", "file", "line"), PLANTS)
def test_a_planted_import_is_caught(copy: Path, contract: str, file: str, line: str) -> None:
    path = copy / "src" / "mercato" / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as module:
        module.write(f"\n{line}\n")
    ran = lint(copy)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"{CONTRACTS[contract]} BROKEN" in ran.stdout


def test_every_contract_has_a_plant() -> None:
    assert {contract for contract, _, _ in PLANTS} == set(CONTRACTS)
