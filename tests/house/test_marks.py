"""Marked tests skip with a reason, or fail where they are required; and no test reaches a real network."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKIPS_ITSELF = "import pytest\n\n\n@pytest.mark.spark\ndef test_a():\n    pytest.skip('no cluster')\n"
MARKED = "\n\n@pytest.mark.{}\ndef test_{}():\n    assert True\n"
REASONS = {
    "browser": "no Chromium is installed",
    "spark": "no Java is installed",
    "npm": "the npm packages of tests/npm could not be installed",
    "live": "calls an outside service; set MERCATO_LIVE=1",
    "nightly": "long; run make test PROFILE=nightly",
}
TOGETHER = (
    "import pytest\n\n\n@pytest.mark.spark\n@pytest.mark.parametrize('n', range(8))\ndef test_a(n):\n    assert True\n"
)
DIALS = "\n\ndef test_{}():\n    {}\n"
OUTSIDE = (
    "socket.create_connection(('192.0.2.1', 80))",
    "socket.getaddrinfo('mercato.example', 80)",
    "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "socket.socket().connect_ex(('8.8.8.8', 53))",
)
INSIDE = ("s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()).close(); s.close()",)


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


def marked(*marks: str) -> str:
    """A file with one test for each of these marks; several in one, since each run of pytest costs half a second."""
    return "import pytest\n" + "".join(MARKED.format(mark, mark) for mark in marks)


def test_marked_tests_are_skipped_each_with_its_reason(tmp_path: Path) -> None:
    text = outcome(tmp_path, marked(*REASONS))

    assert f"{len(REASONS)} skipped" in text
    assert [reason for reason in REASONS.values() if reason not in text] == []


def test_required_tests_fail_rather_than_skip(tmp_path: Path) -> None:
    text = outcome(tmp_path, marked("browser", "spark", "npm"), MERCATO_REQUIRE="browser,spark,npm")

    assert [mark for mark in ("browser", "spark", "npm") if f"MERCATO_REQUIRE names '{mark}'" not in text] == []
    assert "3 errors" in text
    assert "skipped" not in text


def test_a_required_test_that_skips_itself_fails(tmp_path: Path) -> None:
    text = outcome(tmp_path, SKIPS_ITSELF, MERCATO_REQUIRE="spark", JAVA_HOME="/somewhere")

    assert "1 failed" in text
    assert "no cluster" in text


def test_what_needs_spark_runs_in_one_worker(tmp_path: Path) -> None:
    text = outcome(tmp_path, TOGETHER, "-n", "2", "--dist", "loadgroup", "-vv", JAVA_HOME="/somewhere")

    assert "8 passed" in text
    assert len(set(re.findall(r"\[gw\d\]", text))) == 1


def test_a_misspelt_requirement_is_an_error(tmp_path: Path) -> None:
    assert "known marks: browser, spark" in outcome(tmp_path, marked("spark"), MERCATO_REQUIRE="bowser")


def test_tests_that_reach_out_fail_and_this_machine_may_be_reached(tmp_path: Path) -> None:
    text = outcome(tmp_path, "import socket\n" + "".join(DIALS.format(*dial) for dial in enumerate(OUTSIDE + INSIDE)))

    assert text.count("RealNetwork: test ") == len(OUTSIDE)
    assert f"{len(OUTSIDE)} failed, {len(INSIDE)} passed" in text


def test_what_is_left_to_the_nightly_profile_is_not_missing(tmp_path: Path) -> None:
    test = marked("browser").replace("@", "@pytest.mark.nightly\n@")
    text = outcome(tmp_path, test, MERCATO_REQUIRE="browser", MERCATO_CHROMIUM="/bin/true")

    assert "1 skipped" in text
    assert "PROFILE=nightly" in text
