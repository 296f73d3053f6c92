"""Marked tests skip with a reason, or fail where they are required; and no test reaches a real network."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPS_ITSELF = "import pytest\n\n\n@pytest.mark.spark\ndef test_a():\n    pytest.skip('no cluster')\n"
MARKED = "import pytest\n\n\n@pytest.mark.{}\ndef test_a():\n    assert True\n"
TOGETHER = MARKED.format("spark").replace("def", "@pytest.mark.parametrize('n', range(8))\ndef").replace("a()", "a(n)")
DIALS = "import socket\n\n\ndef test_a():\n    {}\n"


def outcome(folder: Path, test: str, *arguments: str, **environment: str) -> str:
    """Returns what pytest prints about one test file beside a copy of our conftest, with no program on the path."""
    (folder / "tests" / "npm").mkdir(parents=True)
    for name in ("__init__.py", "conftest.py", "postgres.py", "profiles.py", "npm/__init__.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "tests" / "test_planted.py").write_text(test)
    kept = {"HOME": str(folder), "PATH": "", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-rs", *arguments, "tests"],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
    )
    return ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("browser", "no Chromium is installed"),
        ("spark", "no Java is installed"),
        ("npm", "tests/npm could not be installed"),
        ("live", "set MERCATO_LIVE=1"),
        ("nightly", "PROFILE=nightly"),
    ],
)
def test_a_marked_test_is_skipped_with_a_reason(tmp_path: Path, mark: str, reason: str) -> None:
    text = outcome(tmp_path, MARKED.format(mark))

    assert "1 skipped" in text
    assert reason in text


@pytest.mark.parametrize("mark", ["browser", "spark", "npm"])
def test_a_required_test_fails_rather_than_skips(tmp_path: Path, mark: str) -> None:
    text = outcome(tmp_path, MARKED.format(mark), MERCATO_REQUIRE="browser,spark,npm")

    assert f"MERCATO_REQUIRE names '{mark}'" in text
    assert "1 skipped" not in text


def test_a_required_test_that_skips_itself_fails(tmp_path: Path) -> None:
    text = outcome(tmp_path, SKIPS_ITSELF, MERCATO_REQUIRE="spark", JAVA_HOME="/somewhere")

    assert "1 failed" in text
    assert "no cluster" in text


def test_what_needs_spark_runs_in_one_worker(tmp_path: Path) -> None:
    text = outcome(tmp_path, TOGETHER, "-n", "2", "--dist", "loadgroup", "-vv", JAVA_HOME="/somewhere")

    assert "8 passed" in text
    assert len(set(re.findall(r"\[gw\d\]", text))) == 1


def test_a_misspelt_requirement_is_an_error(tmp_path: Path) -> None:
    assert "known marks: browser, spark" in outcome(tmp_path, MARKED.format("spark"), MERCATO_REQUIRE="bowser")


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection(('192.0.2.1', 80))",
        "socket.getaddrinfo('mercato.example', 80)",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
        "socket.socket().connect_ex(('8.8.8.8', 53))",
    ],
)
def test_a_test_that_reaches_out_fails(tmp_path: Path, call: str) -> None:
    text = outcome(tmp_path, DIALS.format(call))

    assert "RealNetwork: test " in text
    assert "1 failed" in text


def test_this_machine_may_be_reached(tmp_path: Path) -> None:
    here = "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()).close(); s.close()"

    assert "1 passed" in outcome(tmp_path, DIALS.format(here))


def test_what_is_left_to_the_nightly_profile_is_not_missing(tmp_path: Path) -> None:
    text = outcome(
        tmp_path, "import pytest\n\n\n@pytest.mark.nightly\n" + MARKED.format("browser").partition("\n\n\n")[2],
        MERCATO_REQUIRE="browser", MERCATO_CHROMIUM="/bin/true",
    )  # fmt: skip

    assert "1 skipped" in text
    assert "PROFILE=nightly" in text
