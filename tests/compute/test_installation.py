"""An installation whose database cannot be reached says so in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercato.compute.installation import SECTIONS, prepared
from mercato.core.errors import ConfigError
from mercato.core.settings import load
from mercato.store.bare import Bare
from mercato.store.testing import sqlite_store


def test_a_database_that_is_not_there_is_told_of_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path))
    monkeypatch.setenv("MERCATO_STORE_URL", "postgresql://127.0.0.1:1/none")
    with pytest.raises(ConfigError) as caught:
        prepared(load(*SECTIONS))

    assert "connection" in caught.value.message
    assert "Traceback" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path))
    sqlite_store(tmp_path).close()
    with Bare(f"sqlite:///{tmp_path / 'mercato.db'}") as bare:
        bare.run("UPDATE store_version SET version_num = '9999'")

    with pytest.raises(ConfigError, match="9999"):
        prepared(load(*SECTIONS))
