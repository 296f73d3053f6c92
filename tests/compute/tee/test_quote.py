"""Quotes: one of a real machine, under Intel's root, and those of a made-up maker, wrong in one way each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mercato.compute.errors import Unproven
from mercato.compute.tee import quote
from mercato.compute.tee.testing import Machine, Maker

SAMPLES = Path(__file__).parent / "samples"
THEN = datetime(2025, 6, 20, tzinfo=UTC)  # when Intel's words of the sample hold
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def sample() -> tuple[bytes, str]:
    return (SAMPLES / "tdx_quote.bin").read_bytes(), (SAMPLES / "collateral.json").read_text()


def test_the_quote_of_a_real_machine_leads_to_intels_root() -> None:
    found = quote.measured(*sample(), THEN)

    assert (found.version, found.status, found.advisories) == (4, "UpToDate", ())
    assert found.mrtd.startswith("91eb2b44d141d4ec")
    assert found.rtmr[3] == "00" * 48
    assert found.data[:8].hex() == "9a9d48e7f6799642"


def test_collateral_is_looked_up_by_the_platform_of_the_quote() -> None:
    assert quote.platform(sample()[0]) == ("b0c06f000000", "platform")


@pytest.mark.parametrize("days", [-2, 45])
def test_what_intel_said_holds_from_its_day_until_its_end(days: int) -> None:
    with pytest.raises(Unproven, match=r"in the future|xpired"):
        quote.measured(*sample(), THEN + timedelta(days=days))


#: An octet of each part of the sample that is signed: head, report, data of the machine, keys and signatures.
@pytest.mark.parametrize("place", [8, 20, 60, 100, 200, 400, 560, 620, 640, 700, 780, 900, 1100, 1170, 1240])
def test_a_quote_with_one_changed_bit_proves_nothing(place: int) -> None:
    raw, collateral = sample()
    changed = bytearray(raw)
    changed[place] ^= 1

    with pytest.raises(Unproven):
        quote.measured(bytes(changed), collateral, THEN)


@pytest.mark.parametrize("version", [4, 5])
def test_a_machine_of_the_made_up_maker_proves_what_runs_on_it_to_who_trusts_that_maker(version: int) -> None:
    maker = Maker(NOW)
    raw = maker.quote(Machine(mrtd=b"\x0a" * 48), b"data", version=version)
    found = quote.measured(raw, maker.collateral(), NOW, root=maker.root)

    assert (found.version, found.status, found.mrtd) == (version, "UpToDate", "0a" * 48)
    assert found.data == b"data".ljust(64, b"\0")


def test_whoever_trusts_intel_trusts_no_other_maker() -> None:
    maker = Maker(NOW)

    with pytest.raises(Unproven, match="was refused"):
        quote.measured(maker.quote(Machine(), b""), maker.collateral(), NOW)


def test_a_quote_of_one_maker_is_not_vouched_for_by_another() -> None:
    maker, other = Maker(NOW), Maker(NOW)

    with pytest.raises(Unproven, match="chain"):
        quote.measured(other.quote(Machine(), b""), maker.collateral(), NOW, root=maker.root)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"revoked": (4,)}, "CertRevoked"),
        ({"days": -1}, "Expired"),
        ({"levels": ((9, "UpToDate", ()),)}, "No matching TCB level"),
        ({"levels": ((3, "Revoked", ()),)}, "invalid: Revoked"),
    ],
)
def test_what_vouches_for_a_platform_may_speak_against_it(wrong: dict[str, object], words: str) -> None:
    maker = Maker(NOW, **wrong)  # type: ignore[arg-type]  # each is a field of it

    with pytest.raises(Unproven, match=words):
        quote.measured(maker.quote(Machine(), b""), maker.collateral(), NOW, root=maker.root)


@pytest.mark.parametrize(
    ("attributes", "words"), [("0100001000000000", "Debug"), ("0000000000000000", "SEPT_VE_DISABLE")]
)
def test_a_machine_whose_operator_can_read_its_memory_is_refused(attributes: str, words: str) -> None:
    maker = Maker(NOW)
    raw = maker.quote(Machine(attributes=bytes.fromhex(attributes)), b"")

    with pytest.raises(Unproven, match=words):
        quote.measured(raw, maker.collateral(), NOW, root=maker.root)


def test_an_older_platform_is_told_of_with_what_it_is_open_to() -> None:
    maker = Maker(NOW, levels=((9, "UpToDate", ()), (2, "OutOfDate", ("INTEL-SA-00001",))))
    found = quote.measured(maker.quote(Machine(), b""), maker.collateral(), NOW, root=maker.root)

    assert (found.status, found.advisories) == ("OutOfDate", ("INTEL-SA-00001",))


@pytest.mark.parametrize("raw", [b"", b"<html>", bytes(2_000), b"\xff" * 70_000])
def test_octets_that_are_no_quote_are_refused(raw: bytes) -> None:
    with pytest.raises(Unproven, match="quote"):
        quote.measured(raw, "{}", NOW)


def test_collateral_that_is_none_is_refused() -> None:
    with pytest.raises(Unproven, match="was refused"):
        quote.measured(sample()[0], "{}", THEN)
