"""Providers that are registered by their address: a gateway that runs takes them up, and SSRF rules hold for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mercato.compute import addresses, roster
from mercato.compute.commands import app
from mercato.compute.gateway.catalogue import named
from mercato.compute.gateway.registered import Registered
from mercato.compute.model import Offer, Price, Provider, Standing
from mercato.compute.testing import stub
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError, MercatoError
from mercato.store.bare import Bare
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import QUESTION, House, furnished
from tests.waiting import wait_for

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 9}
PRICES = ("--model", "toy", "--prompt-price", "200000", "--completion-price", "400000")
Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("look_often")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command of the room in the data folder of the test's gateway."""
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path / "home"))
    return lambda *words: CliRunner().invoke(app, ["provider", *words])


def asked(home: House, **more: Any) -> Any:
    return home.post("/chat/completions", {**ASK, **more})


def test_a_gateway_that_runs_takes_a_provider_up_pays_it_and_lets_it_go(house: Open, run: Run, tmp_path: Path) -> None:
    with stub(key="sk-of-theirs") as one:
        home = house({})
        key = tmp_path / "home" / "their.key"
        key.write_text("sk-of-theirs\n")
        key.chmod(0o600)
        said = run("add", "theirs", "--url", one.url, *PRICES, "--key-file", "their.key", "--private", "--region", "eu")
        wait_for(lambda: asked(home).status == 200)
        answer = asked(home)
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json
        [listed] = home.get("/providers").json["data"]
        gone = run("remove", "theirs")
        wait_for(lambda: asked(home).status == 404)

    assert (said.exit_code, said.output) == (0, f"{named('theirs')} (theirs) serves toy and is probation\n")
    assert answer.headers["x-provider"] == "theirs"
    assert answer.headers["x-verified"] == "none; standing=probation"
    assert receipt["earned"] > 0
    assert (listed["region"], listed["offers"][0]["price_micro"]["completion"]) == ("eu", 400_000)
    assert gone.output == "theirs is out\n"
    assert "sk-of-theirs" not in said.output + gone.output + str(one.asked[-1].body)


def test_a_price_and_a_place_that_change_are_taken_up_too(house: Open, run: Run) -> None:
    with stub() as before, stub() as after:
        home = house({})
        run("add", "theirs", "--url", before.url, *PRICES, "--private", "--trusted")
        wait_for(lambda: asked(home).status == 200)
        run("add", "theirs", "--url", after.url, *PRICES[:3], "1000000", "--private")
        wait_for(lambda: asked(home).status == 200 and bool(after.asked))
        dearer = asked(home)

        assert int(dearer.headers["x-cost-micro"]) == -(-5 * 1_000_000 // 1_000_000)
        assert dearer.headers["x-verified"].endswith("active")


def test_a_private_address_is_not_connected_to_whatever_the_store_says(house: Open) -> None:
    with stub() as one:
        home = house({})
        provider = Provider(named("inside"), "inside", Standing.ACTIVE, url=one.url)
        offer = Offer(provider.id, "toy", Price(1, 1), 8192)
        with Bare(home.url) as bare, bare.transaction():
            addresses.register(bare, addresses.Address(provider, (offer,)), SystemClock().now())
        wait_for(lambda: asked(home).status == 502)

    assert asked(home).error["code"] in ("upstream_error", "no_provider")
    assert one.asked == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("bad", "--url", "https://10.1.2.3/v1"), "not a public address"),
        (("bad", "--url", "https://[::ffff:127.0.0.1]/v1"), "not a public address"),
        (("bad", "--url", "http://example.org/v1"), "readable on the way"),
        (("bad", "--url", "https://ann:word@example.org/v1"), "without a password"),
        (("Bad!", "--url", "https://example.org/v1"), "lower-case letters"),
        (("bad", "--url", "https://example.org/v1", "--key-file", "none.key"), "not readable"),
        (
            ("bad", "--url", "https://example.org/v1", "--cached-price", "9" * 26),
            "less than or equal to 1000000000000000",
        ),
        (("bad", "--url", "https://example.org:99999/v1"), "address was"),
    ],
)
def test_what_may_not_be_registered_is_refused(
    run: Run, tmp_path: Path, database: Path, words: tuple[str, ...], why: str
) -> None:
    furnished(tmp_path / "home", database)
    refused = run("add", *words, *PRICES)

    assert refused.exit_code == 1
    assert isinstance(refused.exception, MercatoError)
    assert why in refused.exception.message
    with Bare(f"sqlite:///{tmp_path / 'home' / 'mercato.db'}") as bare:
        assert roster.everyone(bare) == []


def test_a_name_of_the_settings_is_not_registered_again(run: Run, tmp_path: Path, database: Path) -> None:
    home = furnished(tmp_path / "home", database)
    (home / "mercato.toml").write_text('[compute.upstreams.mine]\nurl = "https://example.org/v1"\n')
    refused = run("add", "mine", "--url", "https://example.org/v1", *PRICES)

    assert "which the settings have" in str(refused.exception)


def test_a_provider_that_was_ejected_does_not_come_back_and_one_that_left_stands_where_it_did(
    run: Run, tmp_path: Path, database: Path
) -> None:
    url = f"sqlite:///{furnished(tmp_path / 'home', database) / 'mercato.db'}"
    add = ("--url", "https://example.org/v1", *PRICES)
    run("add", "left", *add, "--trusted")
    run("remove", "left")
    again = run("add", "left", *add)
    run("add", "cheat", *add)
    run("remove", "cheat")
    with Bare(url) as bare:
        with bare.transaction():
            roster.stand(bare, named("cheat"), Standing.EJECTED, SystemClock().now(), "by its audits")
        refused = run("add", "cheat", *add)
        stands = [found.standing for found in roster.everyone(bare)]

    assert again.output.endswith("is active\n")
    assert "was ejected" in str(refused.exception)
    assert stands == [Standing.EJECTED, Standing.ACTIVE]


def test_trusted_is_an_operators_word_for_a_new_provider_and_for_a_known_one(
    run: Run, tmp_path: Path, database: Path
) -> None:
    url = f"sqlite:///{furnished(tmp_path / 'home', database) / 'mercato.db'}"
    add = ("--url", "https://example.org/v1", *PRICES)
    said = [run("add", name, *add, *more).output for name, *more in (["a"], ["a", "--trusted"], ["b", "--trusted"])]
    with Bare(url) as bare:
        ways = [roster.history(bare, named(name)) for name in ("a", "b")]

    assert [line.split()[-1] for line in said] == ["probation", "active", "active"]
    assert [way[-1].why for way in ways] == ["admitted by operator, not audited: registered as trusted"] * 2


def test_one_model_of_several_is_taken_out(run: Run, tmp_path: Path, database: Path) -> None:
    furnished(tmp_path / "home", database)
    add = ("add", "two", "--url", "https://example.org/v1", "--prompt-price", "1", "--model")
    outputs = [run(*words).output for words in ((*add, "a"), (*add, "b"), ("remove", "two", "--model", "a"))]
    missing = run("remove", "two", "--model", "a")

    assert outputs[-1] == "two serves 1 other models\n"
    assert "not registered" in str(missing.exception)


def test_a_key_is_read_where_the_gateway_runs_and_one_that_is_not_there_leaves_only_its_provider_out(
    tmp_path: Path, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = furnished(tmp_path / "home", database)
    (home / "good.key").write_text("sk-theirs")
    (home / "good.key").chmod(0o600)
    (home / "open.key").write_text("sk-open")
    (home / "open.key").chmod(0o644)
    with Bare(f"sqlite:///{home / 'mercato.db'}") as bare:
        for name in ("good", "missing", "open"):
            provider = Provider(named(name), name, Standing.ACTIVE, url="https://example.org/v1")
            offer = Offer(provider.id, "toy", Price(1, 1), 8192)
            with bare.transaction():
                addresses.register(bare, addresses.Address(provider, (offer,), f"{name}.key"), SystemClock().now())
        found = Registered(home, 1 << 20, {})
        for _ in range(2):
            found.look(bare)

    assert [provider.name for provider, _ in found.pairs()] == ["good"]
    assert addresses.secret("good.key", home).reveal() == "sk-theirs"
    assert len(caplog.records) == 2
    assert "sk-" not in caplog.text
    with pytest.raises(ConfigError, match="open to others"):
        addresses.secret("open.key", home)
