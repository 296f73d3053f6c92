"""The import law is kept, and it catches every kind of import that it forbids, planted in a copy of the package."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("import-law")  # one worker lints for all of these tests
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
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


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What held in a copy of the package's Python files with the law beside it: as it is, and with each plant."""
    copy = tmp_path_factory.mktemp("law")
    only_python = shutil.ignore_patterns("__pycache__", "static", "islands", "templates", "*.db")
    shutil.copytree(ROOT / "src" / "mercato", copy / "src" / "mercato", ignore=only_python)
    shutil.copy(ROOT / "pyproject.toml", copy)
    ran = subprocess.run(
        [sys.executable, "-P", Path(__file__).with_name("planting.py")],
        input=json.dumps(PLANTS),
        cwd=copy,
        env={"PYTHONPATH": str(copy / "src"), "PATH": "", "NO_COLOR": "1", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    held: dict[str, Any] = json.loads(ran.stderr)
    return held


def test_the_import_law_is_kept_by_a_copy(linted: dict[str, Any]) -> None:
    assert linted["before"] is True


@pytest.mark.parametrize("number", range(len(PLANTS)), ids=["-".join(plant) for plant in PLANTS])
def test_a_planted_import_is_caught(linted: dict[str, Any], number: int) -> None:
    assert linted["planted"][number] is False


def test_every_plant_is_taken_out_again(linted: dict[str, Any]) -> None:
    assert linted["afterwards"] is True


def test_every_contract_has_a_plant() -> None:
    assert {contract for contract, _, _ in PLANTS} == {contract["id"] for contract in CONTRACTS}
