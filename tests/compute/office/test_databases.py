"""Pages, the API, gauges and commands say and change the same on PostgreSQL as on SQLite, of the same books."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.api.testing import serve
from mercato.cli.root import app
from mercato.compute.model import Standing
from mercato.compute.signing import KEY_FILE
from mercato.core.clock import HandClock, SystemClock
from tests.compute.office.test_gauges import text
from tests.compute.office.test_pages import PRIVATE, PUBLIC, READS, SECRET, listed, newest
from tests.compute.office.week import HTML, KEEPER, SEED, House, house
from tests.kit.office import visitor
from tests.postgres import Cluster

COMMANDS = (
    "providers", "audits", "balance", "balance simulated-analyst", "keys list", "epoch list", "disputes list",
    "disputes list {bad}",
)  # fmt: skip
TABLES = (
    "providers",
    "audits",
    "balance",
    "keys list",
    "epoch list",
    "disputes list",
    "receipt show {receipt}",
    "replay",
)
runner = CliRunner()
pytestmark = pytest.mark.xdist_group("compute-office")  # one worker makes the week for all of the office's tests


def keyed(made: House) -> None:
    """Gives an installation the key that its receipts are signed with."""
    path = made.home / KEY_FILE
    path.write_text(SEED.hex())
    path.chmod(0o600)


def done(made: House, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    """Returns how a command ended in an installation, and what it printed."""
    monkeypatch.setenv("MERCATO_HOME", str(made.home))
    monkeypatch.setenv("MERCATO_STORE_URL", made.url)
    found = runner.invoke(app, ["compute", *words])
    return found.exit_code, found.stdout


@dataclass(frozen=True)
class Pair:
    """The same week on both databases, served at one moment, and how each is named in texts."""

    houses: tuple[House, House]
    addresses: tuple[str, str]
    names: dict[str, str]


@pytest.fixture(scope="module")
def pair(filled: Path, postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Books that tests only read."""
    clock = HandClock(SystemClock().now())
    with (
        postgres.database() as url,
        house(tmp_path_factory.mktemp("sqlite"), filled=filled) as here,
        house(tmp_path_factory.mktemp("postgresql"), filled=filled, url=url) as there,
        serve(here.app(here.office(clock=clock))) as first,
        serve(there.app(there.office(clock=clock))) as second,
    ):
        for made in (here, there):
            keyed(made)
        bad = next(row.provider.id for row in here.office().fleet().rows if row.provider.name == "simulated-quarry")
        yield Pair((here, there), (first, second), {"receipt": newest(here), "odd": here.odd, "bad": bad})


@pytest.fixture
def moved(filled: Path, postgres: Cluster, tmp_path: Path) -> Iterator[House]:
    """Books on PostgreSQL of the test's own."""
    with postgres.database() as url, house(tmp_path, filled=filled, url=url) as made:
        yield made


@pytest.mark.parametrize("path", [*READS, *SECRET])
def test_the_api_gives_the_same(pair: Pair, path: str) -> None:
    answers = []
    for address in pair.addresses:
        with visitor(address, KEEPER) as client:
            answers.append(client.get(path.format(**pair.names)))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE, "/compute/providers/{bad}", "/compute/providers/{odd}"])
def test_pages_show_the_same(pair: Pair, path: str) -> None:
    answers = []
    for address in pair.addresses:
        with visitor(address, KEEPER) as client:
            found = client.get(path.format(**pair.names), headers=HTML)
            answers.append((found.status_code, found.text.replace(address, "")))

    assert answers[0][0] == 200
    assert answers[0] == answers[1]


def test_receipts_are_paged_alike(pair: Pair) -> None:
    names = []
    for address in pair.addresses:
        with visitor(address, KEEPER) as client:
            names.append(listed(client))

    assert len(names[0]) > 100
    assert names[0] == names[1]


@pytest.mark.parametrize("money", [False, True])
def test_gauges_count_alike(pair: Pair, money: bool) -> None:
    here, there = (sorted(text(made, money=money).splitlines()) for made in pair.houses)

    assert 'mercato_compute_providers{standing="ejected"} 1.0' in here
    assert here == there


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_print_the_same_json(pair: Pair, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    asked = words.format(**pair.names).split()
    here, there = (done(made, monkeypatch, *asked, "--json") for made in pair.houses)

    assert here[0] == 0
    assert json.loads(here[1])
    assert here == there


@pytest.mark.parametrize("words", TABLES)
def test_commands_print_the_same_tables(pair: Pair, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    here, there = (done(made, monkeypatch, *words.format(**pair.names).split()) for made in pair.houses)

    assert here[0] == 0
    assert here == there


def test_an_operator_stops_the_gateway_by_the_page(moved: House) -> None:
    with serve(moved.app()) as address, visitor(address, KEEPER) as client:
        client.post("/compute/switch", data={"on": "yes", "why": "odd"}, headers=HTML)
        stopped, page = moved.office().stopped(), client.get("/compute", headers=HTML).text
        client.post("/compute/switch", data={"on": "no"}, headers=HTML)

    assert stopped
    assert "Stopped: an operator turned the kill switch on" in page
    assert not moved.office().stopped()


def test_operators_words_are_kept_and_the_log_agrees(moved: House, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed(moved)
    good = next(row.provider.id for row in moved.office().fleet().rows if row.provider.standing is Standing.ACTIVE)
    words = (
        ["hold", good, "--why", "odd"], ["readmit", good, "--why", "even"], ["deposit", "ann", "2", "--name", "wire"],
        ["settle"], ["epoch", "close"], ["replay"],
    )  # fmt: skip
    ended = [done(moved, monkeypatch, *each)[0] for each in words]
    (row,) = (row for row in moved.office().fleet().rows if row.provider.id == good)

    assert ended == [0] * 6
    assert (row.provider.standing, row.why) == (Standing.PROBATION, "readmitted by operator: even")


def test_every_command_that_changes_the_books_does_so_and_the_log_agrees(
    moved: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed(moved)
    rows = {row.provider.standing: row.provider.id for row in moved.office().fleet().rows}
    new, good, key = rows[Standing.PROBATION], rows[Standing.ACTIVE], "cd" * 32

    def run(*words: str) -> str:
        code, said = done(moved, monkeypatch, *words)
        assert code == 0, (words, said)
        return said

    run("epoch", "close")
    proof = moved.home / "proof.json"
    proof.write_text(run("receipt", "show", newest(moved)))
    run("hold", good, "--why", "odd")
    (dispute,) = [it["id"] for it in json.loads(run("disputes", "list", good, "--json"))]
    said = [run(*words.split()) for words in (
        f"receipt verify {proof} --key {run('receipt', 'key').split()[-1]}", f"admit {new} --why known",
        "provider add theirs --url https://example.org/v1 --model toy --prompt-price 1", "provider remove theirs",
        f"node approve {key} --name garage", "stop key:nobody --why leaked", "resume key:nobody",
        "deposit ann 2 --name wire", "withdraw ann 0.50 --name back", f"stake {good} 3 --name stake",
        f"disputes decide {dispute} --reject", "keys make ann", "settle", "replay",
    )]  # fmt: skip

    told = (
        "is sound", "is active", "serves toy and is probation", "theirs is out", "(garage) is pending",
        "key:nobody is stopped", "key:nobody is running", "ann has $2.00", "ann has $1.50", "booked", "was rejected",
        "mk_", "provider", "Everything follows from the log.",
    )  # fmt: skip
    assert [(line, word) for line, word in zip(said, told, strict=True) if word not in line] == []
