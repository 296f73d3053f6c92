from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

import mercato.market
from mercato.cli import main
from mercato.cli.rooms import ROOMS
from mercato.core.errors import ConfigError, InvalidInput, MercatoError, NotFound, SourceError

HEAVY = {
    "alembic", "duckdb", "fastapi", "httpx", "ibis", "jinja2", "numpy", "pandas", "psycopg", "pyarrow",
    "scipy", "sqlalchemy", "starlette", "structlog", "uvicorn", "websockets",
}  # fmt: skip
LOADED = """
import sys
from mercato.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    print(*sys.modules)
"""


def modules(*arguments: str) -> set[str]:
    """The modules that one command line loads."""
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.strip().splitlines()[-1].split())


def test_the_first_help_needs_neither_rich_nor_pydantic() -> None:
    assert modules("--help") & {"rich", "pydantic", "pygments"} == set()


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    loaded = modules(*arguments)

    assert "typer" in loaded
    assert sorted(loaded & HEAVY) == []
    assert not any(name.startswith(f"mercato.{room}.") for room in ROOMS for name in loaded)


def test_help_of_a_room_imports_nothing_heavy() -> None:
    loaded = modules("market", "--help")

    assert "mercato.market.commands" in loaded
    assert sorted(loaded & HEAVY) == []


def test_help_lists_the_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    words = capsys.readouterr().out.split()
    assert {"up", "serve", "work", "market"} <= set(words)


def test_the_version_is_that_of_the_installed_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"mercato {version('mercato')}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "No such command"),
        (["up", "--port", "99999"], "65535"),
        (["up", "--port", "x"], "--port"),
        (["market", "fly"], "fly"),
    ],
)
def test_a_wrong_command_line_ends_with_two(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("day was 'x'", hint="write 2025-02-14"), 2),
        (NotFound("figure was 'y'", hint="see the report"), 2),
        (ConfigError("port was 'z'", hint="see mercato.toml"), 2),
        (SourceError("source answered 500", hint="try again later"), 1),
    ],
)
def test_our_errors_reach_the_terminal_with_their_hint(
    error: MercatoError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mercato.market.commands", commands(error))
    with pytest.raises(SystemExit) as ended:
        main(["market", "fail"])

    assert ended.value.code == code
    assert capsys.readouterr().err == f"error: {error.message}\nhint: {error.hint}\n"


def test_a_file_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/data/mercato.db")
    monkeypatch.setitem(sys.modules, "mercato.market.commands", commands(full))
    with pytest.raises(SystemExit) as ended:
        main(["market", "fail"])

    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: /data/mercato.db: No space left on device\n"


def test_a_database_that_cannot_be_written_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    monkeypatch.setitem(sys.modules, "mercato.market.commands", commands(full))
    with pytest.raises(SystemExit) as ended:
        main(["market", "fail"])

    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: database: database or disk is full\n"


def commands(error: Exception) -> ModuleType:
    """A room's commands of which one fails."""
    import typer

    made = ModuleType("mercato.market.commands")
    app = typer.Typer()
    attach: Callable[..., object] = app.command("fail")

    def fail() -> None:
        raise error

    attach(fail)
    app.command("other")(lambda: None)
    made.__dict__["app"] = app
    assert mercato.market.__name__
    return made
