"""The kit's books on both databases, with a clock that tests move."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mercato.chains.facade import Facade
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.cli.root import main
from mercato.core.clock import HandClock
from mercato.kit.ledger import Ledger
from mercato.kit.policy import Policy
from mercato.kit.testing import NOON, SMALL_PAYMENTS
from mercato.store import Store
from mercato.store.settings import StoreSettings
from mercato.store.testing import sqlite_store
from tests.conformance.store.conftest import BACKENDS, on_postgres
from tests.kit.ground import ANYTHING, FRIEND, Town

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database to copy."""
    folder = tmp_path_factory.mktemp("migrated")
    sqlite_store(folder).close()
    return folder / "mercato.db"


@pytest.fixture
def sqlite(migrated: Path, tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store on SQLite."""
    shutil.copy(migrated, tmp_path / "kit.db")
    store = Store(f"sqlite:///{tmp_path / 'kit.db'}")
    yield store
    store.close()


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store on either database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
    else:
        yield from on_postgres(request, tmp_path)


@pytest.fixture
def ledger(store: Store, clock: HandClock) -> Ledger:
    """A ledger with the book `agent` under the policy of small payments."""
    made = Ledger(store, clock)
    made.open("agent", Policy.parse(SMALL_PAYMENTS), "operator")
    return made


@pytest.fixture
def node(town: Town, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A node that commands find by the settings, and a wallet."""
    monkeypatch.setenv("MERCATO_KIT_KEY", KEYS[0].hex())
    with Facade(town.chain, 0, accounts=ACCOUNTS) as facade:
        monkeypatch.setenv("MERCATO_CHAINS_RPC", facade.url)
        yield facade.url


@pytest.fixture
def run(home: Path, migrated: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    place = Store(StoreSettings().address(home)).url.database
    Path(str(place)).write_bytes(migrated.read_bytes())

    def command(*arguments: str, as_json: bool = True) -> tuple[int, Any, str]:
        with pytest.raises(SystemExit) as stop:
            main(["kit", *arguments, *(["--json"] if as_json else [])])
        out, err = capsys.readouterr()
        code = int(stop.value.code or 0)
        return code, json.loads(out) if as_json and out else out, err

    return command


@pytest.fixture
def ruled(run: Run, node: str, home: Path, town: Town) -> Run:
    """The commands, with a policy in force."""
    rules = [
        {**ANYTHING, "name": "friends", "recipients": [FRIEND], "spend": {"USD": "50", "ETH": "1"}},
        {**ANYTHING, "name": "large", "verdict": "ask", "approvers": ["treasurer"], "recipients": [FRIEND]},
    ]
    budget = {"name": "day", "asset": "USD", "cap": "100", "seconds": 86400}
    file = home / "policy.json"
    file.write_text(json.dumps(dict(town.policy(*rules, budgets=[budget]).source)))
    assert run("policy", "set", str(file))[0] == 0
    return run
