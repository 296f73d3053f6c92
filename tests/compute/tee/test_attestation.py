"""The check of trusted machines, over HTTP: what a machine proves, and everything that proves nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mercato.compute.attesting import Attestation
from mercato.compute.errors import Unreached
from mercato.compute.fleet.confidential import Confidential, Vault
from mercato.compute.gateway.catalogue import named
from mercato.compute.gateway.line import Patience
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.settings import Enclave
from mercato.compute.tee import findings
from mercato.compute.tee.collateral import Collateral
from mercato.compute.tee.inspector import Inspector, Place
from mercato.compute.tee.report import MOST
from mercato.compute.tee.testing import Machine, Maker
from mercato.compute.tee.words import Finding, Level, Policy, Signer
from mercato.core.secret import Secret
from mercato.store.bare import Bare
from mercato.store.testing import sqlite_store
from tests.compute.tee.machines import LATER, NOW, clock, settings

PAIR = (named("safe"), "toy")


class World:
    """A maker, a machine of it that serves, its collateral, and a gateway's store."""

    def __init__(self, home: Path, opened: ExitStack, **told: Any) -> None:
        self.home, self.clock, self.maker = home, clock(), Maker(NOW)
        sqlite_store(home).close()
        self.url = f"sqlite:///{home / 'mercato.db'}"
        self.one = opened.enter_context(Confidential(self.maker, **told))
        self.vault = opened.enter_context(Vault(self.maker))

    def check(self, **wanted: Any) -> list[Finding]:
        """Checks whoever is due."""
        made = settings(self.one, self.vault, **wanted)
        return Attestation(self.url, self.home, made, self.clock, root=self.maker.root).check()

    def holding(self) -> Level:
        """Returns what holds now of the machine."""
        with Bare(self.url) as bare:
            found = findings.holding(bare, self.clock.now()).get(PAIR)
        return found.level if found else Level.NOTHING


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    with ExitStack() as opened:
        yield lambda **told: World(tmp_path, opened, **told)


@pytest.mark.parametrize("algorithm", ["ecdsa", "ed25519"])
def test_a_genuine_machine_with_accepted_software_is_attested(world: Callable[..., World], algorithm: str) -> None:
    here = world(algorithm=algorithm)
    (found,) = here.check()

    assert (found.level, found.software, found.status) == (Level.ATTESTED, "house-1", "UpToDate")
    assert found.signers == (Signer(algorithm, here.one.signer),)
    assert found.nonce == here.one.nonces[0]
    assert "not verified" in found.gpu
    assert here.holding() is Level.ATTESTED


def test_without_a_list_of_software_the_hardware_alone_is_proven_and_that_is_said(world: Callable[..., World]) -> None:
    (found,) = world().check(software={})

    assert found.level is Level.HARDWARE
    assert "software is unknown" in found.why
    assert found.signers


@pytest.mark.parametrize(
    "machine",
    [
        Machine(mrtd=b"\x99" * 48),
        Machine(rtmr=(b"\x20" * 48, b"\x21" * 48, b"\x22" * 48, b"\x99" * 48)),
        Machine(rtmr=(b"\x99" * 48, b"\x21" * 48, b"\x22" * 48, b"\x23" * 48)),
    ],
)
def test_other_measurements_are_software_that_nobody_accepted(world: Callable[..., World], machine: Machine) -> None:
    (found,) = world(machine=machine).check()

    assert found.level is Level.HARDWARE


def test_each_check_has_a_nonce_of_its_own_and_comes_when_the_last_one_is_old(world: Callable[..., World]) -> None:
    here = world()

    assert len(here.check()) == 1
    assert here.check() == []
    here.clock.move(LATER)
    assert len(here.check()) == 1
    assert len(set(here.one.nonces)) == 2


def test_what_was_found_is_over_after_its_time_where_nobody_looks_again(world: Callable[..., World]) -> None:
    here = world()
    here.check()
    here.clock.move(LATER * 3)

    assert here.holding() is Level.NOTHING


Tamper = Callable[[dict[str, Any]], dict[str, Any]]


def _instead(**members: Any) -> Tamper:
    return lambda report: {**report, **members}


def _replayed() -> Tamper:
    """Shows the first report again and again, as a recording would."""
    kept: list[dict[str, Any]] = []

    def shown(report: dict[str, Any]) -> dict[str, Any]:
        kept.append(report)
        return kept[0]

    return shown


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_instead(signing_address="0x" + "ab" * 20), "another key"),
        (_instead(signing_address="0xabcd"), "signing_address"),
        (_instead(signing_algo="ed25519"), "signed by"),
        (_instead(intel_quote=""), "intel_quote"),
        (_instead(intel_quote="zz"), "intel_quote"),
        (_instead(intel_quote="00" * 3000), "quote"),
        (_instead(nvidia_payload="{"), "nvidia_payload"),
        (_instead(nvidia_payload='{"nonce": "00"}'), "accelerators was not made for our nonce"),
        (_instead(all_attestations=[3]), "list of machines"),
        (_instead(all_attestations=[{}] * 40), "list of machines"),
    ],
)
def test_a_report_that_is_wrong_in_one_way_proves_nothing(
    world: Callable[..., World], tamper: Tamper, words: str
) -> None:
    here = world(tamper=tamper)
    (found,) = here.check()

    assert found.level is Level.NOTHING
    assert words in found.why
    assert (found.signers, here.holding()) == ((), Level.NOTHING)


def test_an_old_report_that_is_shown_again_ends_what_held(world: Callable[..., World]) -> None:
    here = world(tamper=_replayed())
    here.check()
    before = here.holding()
    here.clock.move(LATER)
    (found,) = here.check()

    assert before is Level.ATTESTED
    assert "not made for our nonce" in found.why
    assert here.holding() is Level.NOTHING


def test_of_several_machines_the_weakest_one_counts(world: Callable[..., World]) -> None:
    here = world()
    other = here.maker.quote(Machine(), b"x" * 64).hex()
    here.one.tamper = lambda report: {"all_attestations": [report, {**report, "intel_quote": other}]}
    (found,) = here.check()

    assert (found.level, found.signers) == (Level.NOTHING, ())


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (lambda: web.Response(text="<!doctype html>", content_type="text/html"), "report was"),
        (lambda: web.Response(status=307, headers={"location": "http://127.0.0.1:9/"}), "status 307"),
        (lambda: web.Response(status=404), "status 404"),
        (lambda: web.Response(body=b" " * (MOST + 10)), "more than"),
        (lambda: web.json_response([1]), "report was a list"),
        (lambda: web.Response(text="[" * 200_000), "report was"),
    ],
)
def test_an_answer_that_is_no_report_proves_nothing(
    world: Callable[..., World], odd: Callable[[], web.Response], words: str
) -> None:
    here = world()
    here.one.odd.append(odd())
    (found,) = here.check()

    assert found.level is Level.NOTHING
    assert words in found.why


def test_what_held_is_kept_for_its_time_where_a_machine_cannot_be_asked(world: Callable[..., World]) -> None:
    here = world()
    here.check()
    here.clock.move(LATER)
    here.one.odd.append(web.Response(status=503))

    assert here.check() == []
    assert here.holding() is Level.ATTESTED
    here.clock.move(LATER * 2)
    here.one.odd.append(web.Response(status=503))
    (found,) = here.check()
    assert "could not be checked" in found.why


def test_a_platform_that_is_not_up_to_date_is_taken_where_the_settings_say_so(world: Callable[..., World]) -> None:
    here = world()
    here.maker.levels = ((9, "UpToDate", ()), (2, "SWHardeningNeeded", ("INTEL-SA-00001",)))
    (first,) = here.check()
    here.clock.move(LATER)
    (second,) = here.check(statuses=frozenset({"SWHardeningNeeded"}))
    here.clock.move(LATER)
    (third,) = here.check(statuses=frozenset({"SWHardeningNeeded"}), advisories=frozenset({"INTEL-SA-00001"}))

    assert "'SWHardeningNeeded'" in first.why
    assert "INTEL-SA-00001" in second.why
    assert third.level is Level.ATTESTED


def test_collateral_that_was_fetched_serves_while_its_server_is_away(world: Callable[..., World]) -> None:
    here = world()
    here.check()
    here.vault.status = 500
    here.clock.move(LATER)
    (found,) = here.check()

    assert found.level is Level.ATTESTED
    assert [path.suffix for path in (here.home / "collateral").iterdir()] == [".json"]


def test_collateral_in_files_needs_no_server_at_all(world: Callable[..., World]) -> None:
    here = world()
    here.check()
    here.clock.move(LATER)
    (found,) = here.check(pccs="")

    assert found.level is Level.ATTESTED


def test_without_collateral_nothing_is_proven(world: Callable[..., World]) -> None:
    (found,) = world().check(pccs="")

    assert found.level is Level.NOTHING
    assert "nothing vouches" in found.why


def test_software_may_be_bound_to_one_upstream(world: Callable[..., World]) -> None:
    here = world()
    other = settings(here.one).tee.software["house-1"].model_copy(update={"mrtd": "ab" * 48})
    accepted = {"house-1": settings(here.one).tee.software["house-1"], "other": other}
    (found,) = here.check(software=accepted, enclave=Enclave(software=frozenset({"other"})))

    assert found.level is Level.HARDWARE


def test_software_of_another_model_is_none_of_this_ones(world: Callable[..., World]) -> None:
    here = world()
    accepted = settings(here.one).tee.software["house-1"].model_copy(update={"models": frozenset({"another"})})
    (found,) = here.check(software={"house-1": accepted})

    assert found.level is Level.HARDWARE


def test_a_machine_that_takes_too_long_cannot_be_checked(world: Callable[..., World]) -> None:
    here = world()
    here.one.pause = 30.0

    async def look() -> None:
        async with Connections(private=True) as connections:
            line = HttpLine(here.one.url, Secret(""), connections=connections, most=MOST)
            patience, hold = Patience(1, 0.1, 0.1, 0.2), timedelta(hours=1)
            inspector = Inspector(Collateral(here.home), Policy(), here.clock, hold, patience=patience)
            await inspector.look(Place(*PAIR, "toy", line))

    with pytest.raises(Unreached) as raised:
        asyncio.run(look())
    assert raised.value.why == "first-byte"


def test_what_was_shown_is_kept_and_can_be_checked_again(world: Callable[..., World]) -> None:
    here = world()
    (found,) = here.check()
    with Bare(here.url) as bare:
        kept: Any = findings.evidence(bare, found)

    assert kept["nonce"] == here.one.nonces[0]
    assert bytes.fromhex(kept["machines"][0]["quote"])[48 + 520 + 32 : 48 + 520 + 64].hex() == here.one.nonces[0]
    assert "tcb_info" in next(iter(kept["collateral"].values()))


def test_findings_are_dropped_after_their_time(world: Callable[..., World]) -> None:
    here = world()
    (found,) = here.check()
    with Bare(here.url) as bare:
        with bare.transaction():
            findings.forget(bare, found.until)
        kept = findings.latest(bare)
        with bare.transaction():
            findings.forget(bare, found.until + LATER)

        assert [it.nonce for it in kept] == [found.nonce]
        assert findings.latest(bare) == []


def test_a_finding_is_dated_and_holds_as_long_as_the_settings_say(world: Callable[..., World]) -> None:
    here = world()
    (found,) = here.check()

    assert (found.at, (found.until - found.at).total_seconds()) == (NOW, 5400)


def test_without_the_verifier_nothing_is_proven_and_the_finding_says_what_to_install(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world()
    monkeypatch.setitem(sys.modules, "dcap_qvl", None)  # as where the extra is not installed
    (found,) = here.check()

    assert found.level is Level.NOTHING
    assert "dcap-qvl is missing" in found.why
