"""Keys at rest open with their password only, agree with others' code, and never show themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from mercato.kit.keystore import opened, save, sealed, unlock

PASSWORD = Secret("correct horse battery")
QUICK = 2**10


def test_a_key_comes_back_with_its_password_only(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"

    assert save(path, KEYS[0], PASSWORD, n=QUICK) == ACCOUNTS[0]
    assert unlock(path, PASSWORD).address == ACCOUNTS[0]
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="did not open"):
        unlock(path, Secret("wrong horse battery"))
    with pytest.raises(ConfigError, match="is there already"):
        save(path, KEYS[1], PASSWORD, n=QUICK)


def test_others_read_what_we_write_and_we_read_what_they_write() -> None:
    theirs: dict[str, Any] = Account.encrypt(KEYS[1], PASSWORD.reveal(), kdf="scrypt", iterations=QUICK)

    assert bytes(Account.decrypt(sealed(KEYS[0], PASSWORD, n=QUICK), PASSWORD.reveal())) == KEYS[0]
    assert opened(theirs, PASSWORD).address == ACCOUNTS[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 4}, "kind"), ({"crypto": {}}, "not readable"), ({"crypto": "x"}, "not readable"),
    ],
)  # fmt: skip
def test_what_is_no_keystore_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        opened({**sealed(KEYS[0], PASSWORD, n=QUICK), **change}, PASSWORD)


def test_terms_that_would_take_all_memory_are_refused() -> None:
    stored = sealed(KEYS[0], PASSWORD, n=QUICK)
    stored["crypto"]["kdfparams"]["n"] = 2**30

    with pytest.raises(ConfigError, match="kind"):
        opened(stored, PASSWORD)


def test_files_that_are_none_and_passwords_that_are_too_short_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    for name in ("nothing.json", "list.json"):
        with pytest.raises(ConfigError, match="not readable"):
            unlock(tmp_path / name, PASSWORD)
    with pytest.raises(ConfigError, match="too short"):
        sealed(KEYS[0], Secret("short"))
