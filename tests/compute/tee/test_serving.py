"""A gateway whose requests may ask for a provider in a trusted machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mercato.compute.attesting import Attestation
from mercato.compute.fleet.confidential import Confidential, Vault
from mercato.compute.settings import ComputeSettings, Upstream
from mercato.compute.tee.testing import Maker
from mercato.compute.testing import stub
from mercato.core.clock import HandClock, SystemClock
from tests.compute.gateway.house import QUESTION, House, blank, furnished
from tests.compute.tee.machines import settings
from tests.waiting import wait_for

Open = Callable[..., House]


@pytest.fixture(scope="session")
def trusted_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blank(tmp_path_factory.mktemp("trusted"))


@pytest.fixture
def trusted(tmp_path: Path, trusted_database: Path) -> Iterator[Open]:
    """Opens a gateway over `safe`, in a machine that was checked just now, and `plain`, in none."""
    with ExitStack() as opened:

        def start(later: timedelta = timedelta(0), **wanted: Any) -> House:
            home, clock = furnished(tmp_path / "home", trusted_database), HandClock(SystemClock().now() - later)
            maker = Maker(clock.now())
            safe = opened.enter_context(Confidential(maker))
            vault = opened.enter_context(Vault(maker))
            plain = opened.enter_context(stub())
            told = settings(safe, vault, **wanted)
            url = f"sqlite:///{home / 'mercato.db'}"
            assert len(Attestation(url, home, told, clock, root=maker.root).check()) == 1
            ups = {"safe": safe.url, "plain": plain.url}
            return opened.enter_context(House(home, ups, tee=told.tee, enclaves={"safe": told.upstreams["safe"].tee}))

        yield start


def ask(gateway: House, **wish: Any) -> Any:
    return gateway.post("/chat/completions", {"model": "toy", "messages": QUESTION, "provider": wish})


@pytest.mark.parametrize("wish", [True, "attested", "hardware"])
def test_a_request_that_wants_a_trusted_machine_gets_one(trusted: Open, wish: object) -> None:
    answer = ask(trusted(), tee=wish)

    assert (answer.status, answer.headers["x-provider"]) == (200, "safe")
    assert answer.headers["x-verified"] == "always; standing=active; tee=attested"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_of_a_trusted_machine_is_audited_by_its_signature(trusted: Open, stream: bool) -> None:
    gateway = trusted()
    body = {"model": "toy", "messages": QUESTION, "provider": {"tee": True}, "stream": stream}
    path = f"/audit/{gateway.post('/chat/completions', body).headers['x-request-id']}"
    wait_for(lambda: gateway.get(path).json["verdict"] != "waiting")
    audit = gateway.get(path).json

    assert (audit["verdict"], audit["method"], audit["statistic"]["signature"]) == ("pass", "signature", "right")


def test_who_wants_nothing_kept_is_audited_by_nothing(trusted: Open) -> None:
    gateway = trusted()

    assert ask(gateway, tee=True, verify="none").headers["x-verified"] == "none; standing=active; tee=attested"


def test_unknown_software_is_enough_for_who_wants_hardware_only_and_for_nobody_else(trusted: Open) -> None:
    gateway = trusted(software={})
    refused, served = ask(gateway, tee=True), ask(gateway, tee="hardware")

    assert (refused.status, refused.error["code"]) == (400, "not_attested")
    assert "has not proven the machine that is wanted (2)" in refused.error["message"]
    assert (served.status, served.headers["x-provider"]) == (200, "safe")
    assert served.headers["x-verified"].endswith("tee=hardware")


def test_whoever_asks_for_no_machine_may_be_served_by_any(trusted: Open) -> None:
    gateway = trusted()

    assert ask(gateway, only=["plain"]).headers["x-verified"] == "none; standing=active"
    assert ask(gateway, tee=False, only=["plain"]).status == 200


@pytest.mark.parametrize("wish", ["yes", 1, [], {"level": "attested"}])
def test_a_wish_that_is_none_is_refused_by_its_name(trusted: Open, wish: object) -> None:
    refused = ask(trusted(), tee=wish)

    assert (refused.status, refused.error["param"]) == (400, "provider.tee")


def test_a_finding_that_is_over_serves_nobody_who_wants_a_machine(trusted: Open) -> None:
    refused = ask(trusted(later=timedelta(minutes=91)), tee=True)

    assert (refused.status, refused.error["code"]) == (400, "not_attested")


def test_everybody_can_read_what_was_found_and_until_when_it_holds(trusted: Open) -> None:
    gateway = trusted()
    safe, plain = (
        next(it for it in gateway.get("/providers").json["data"] if it["name"] == name) for name in ("safe", "plain")
    )
    found = safe["offers"][0]["tee"]

    assert plain["offers"][0]["tee"] is None
    assert (found["level"], found["software"], found["status"]) == ("attested", "house-1", "UpToDate")
    assert datetime.fromisoformat(found["until"]) > SystemClock().now()
    assert "not verified" in found["gpu"]
    assert found["signers"][0].startswith("ecdsa:")


def test_settings_name_software_that_is_accepted_and_hold_longer_than_the_next_check() -> None:
    upstream = Upstream(url="http://127.0.0.1:1/v1", tee={"software": ["mine"]})

    with pytest.raises(ValueError, match="software of 'safe' was"):
        ComputeSettings(upstreams={"safe": upstream})
    with pytest.raises(ValueError, match="hold was 30 minutes"):
        ComputeSettings.model_validate({"tee": {"minutes": 30, "hold": 30}})


def test_firmware_alone_is_no_accepted_software() -> None:
    firmware = dict.fromkeys(("mrtd", "rtmr0", "rtmr1", "rtmr2"), "11" * 48)

    with pytest.raises(ValueError, match="neither rtmr3 nor config"):
        ComputeSettings.model_validate({"tee": {"software": {"some": firmware}}})


def test_a_gateway_brings_what_nodes_are_asked_for_beside_its_requests(trusted: Open) -> None:
    """Nobody dialled, so a challenge stays; the gateway serves and ends as ever."""
    gateway = trusted(nodes="ecdsa")

    assert ask(gateway, tee=True).status == 200
