"""Money by commands: booked once, shown exactly, and proved by what anybody can run again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.cli.root import app
from mercato.compute.books import Clerk, Desk, Signer
from mercato.compute.books.receipts import digest
from mercato.compute.installation import SECTIONS, prepared
from mercato.compute.model import canonical
from mercato.compute.signing import signer
from mercato.compute.terminal import dollars, micro
from mercato.core.clock import SystemClock
from mercato.core.errors import InvalidInput
from mercato.core.settings import load
from mercato.store.bare import Bare
from tests.compute.books.counter import ACME, Counter

runner = CliRunner()


def run(*words: str, code: int = 0, given: str | None = None) -> str:
    done = runner.invoke(app, ["compute", *words], input=given)
    assert (0 if done.exit_code == 0 else 1) == code, done.output
    return done.stdout


def serve(counter: Counter, key: str) -> str:
    """Serves a request of a key in this installation; returns its id."""
    settings = load(*SECTIONS, partial=True)

    async def go() -> str:
        clock = SystemClock()
        async with Desk(Clerk(prepared(settings), clock, signer(settings.home))) as desk:
            found = await desk.key(key)
            assert found is not None
            hold = counter.hold(key=found)
            await desk.reserve(hold)
            return (await desk.settle(hold.request, served=counter.served(key=found.id))).request

    return asyncio.run(go())


def test_dollars_are_exact_both_ways() -> None:
    assert [micro(text) for text in ("2", "2.50", "0.000001")] == [2_000_000, 2_500_000, 1]
    assert [dollars(each) for each in (0, 1, -2_500_000)] == ["$0.00", "$0.000001", "-$2.50"]
    for text in ("", "-1", "1.2345678", "1e3", "one", "1,5"):
        with pytest.raises(InvalidInput):
            micro(text)


def test_a_deposit_is_booked_once_and_every_balance_adds_up_to_nought(home: Path) -> None:
    assert "booked" in run("deposit", "ann", "2.50", "--name", "wire-1")
    assert "booked before" in run("deposit", "ann", "2.50", "--name", "wire-1")
    run("withdraw", "ann", "1", "--name", "wire-2")
    assert json.loads(run("balance", "ann", "--json")) == {"account": "ann", "free": 1_500_000, "reserved": 0}
    assert "sum: $0.00" in run("balance")
    run("withdraw", "ann", "1.500001", "--name", "wire-3", code=1)


def test_a_receipt_can_be_checked_by_who_has_nothing_but_it(home: Path, sqlite: str, tmp_path: Path) -> None:
    run("deposit", "ann", "1", "--name", "wire-1")
    made = json.loads(run("keys", "make", "ann", "--limit", "0.5", "--model", "toy", "--json"))
    with Counter(sqlite) as counter:
        request = serve(counter, made["secret"])
    closed = json.loads(run("epoch", "close", "--holdback", "0", "--json"))
    shown, public = run("receipt", "show", request), run("receipt", "key").strip()
    assert "is sound" in run("receipt", "verify", "-", "--key", public, "--root", closed["root"], given=shown)
    for wrong in (shown.replace('"charged": 350', '"charged": 349'), shown.replace(closed["root"], "0" * 64)):
        assert wrong != shown
        run("receipt", "verify", "-", "--key", public, given=wrong, code=1)
    run("receipt", "verify", "-", "--key", "ab" * 32, given=shown, code=1)
    assert json.loads(run("settle", "--json"))[ACME]["due"] == 350
    run("pay", ACME, "0.00035", "--name", "0x01")
    assert "follows from the log" in run("replay", "--expect", closed["root"])
    assert json.loads(run("keys", "list", "ann", "--json"))[0]["spent"] == 350


def test_a_receipt_that_its_provider_signed_too_is_checked_by_that_key_where_it_is_given(
    home: Path, sqlite: str
) -> None:
    run("deposit", "ann", "1", "--name", "wire-1")
    made = json.loads(run("keys", "make", "ann", "--json"))
    with Counter(sqlite) as counter:
        request = serve(counter, made["secret"])
    shown, public, node = json.loads(run("receipt", "show", request)), run("receipt", "key").strip(), Signer.fresh()
    signed = json.dumps(shown | {"countersigned": node.sign(shown["hash"])})
    check = ("receipt", "verify", "-", "--key", public)

    assert "is sound" in run(*check, given=signed)
    assert "is sound" in run(*check, "--provider", node.public, given=signed)
    assert "does not fit" in run(*check, "--provider", Signer.fresh().public, given=signed, code=1)
    assert "did not sign" in run(*check, "--provider", node.public, given=json.dumps(shown), code=1)


def test_a_stake_is_booked_for_nobody_who_is_not_there(home: Path) -> None:
    run("stake", "prov_x", "1", "--name", "wire-1", code=1)

    assert "sum: $0.00" in run("balance")
    assert "stake" not in run("balance")


def test_a_key_is_for_a_name_that_prints_and_a_time_that_there_is(home: Path) -> None:
    run("keys", "make", "a\nb", code=1)
    run("keys", "make", "ann", "--name", "\x1b[31m", code=1)
    run("keys", "make", "ann", "--days", "99999999999", code=1)
    run("keys", "make", "ann", "--days", "36500")


def test_two_roots_of_one_epoch_prove_that_a_gateway_exchanged_one(home: Path, sqlite: str, tmp_path: Path) -> None:
    run("deposit", "ann", "1", "--name", "wire-1")
    made = json.loads(run("keys", "make", "ann", "--json"))
    with Counter(sqlite) as counter:
        request = serve(counter, made["secret"])
    run("epoch", "close")
    shown, public = json.loads(run("receipt", "show", request)), run("receipt", "key").strip()
    root, opening = shown["proof"]["signed"]
    key = signer(load(*SECTIONS, partial=True).home)
    other = {name: value for name, value in root.items() if name != "signature"} | {"receipts": 2}
    other |= {"signature": key.sign(digest(canonical(other)))}
    for name, document in (("root", root), ("opening", opening), ("other", other)):
        (tmp_path / name).write_text(json.dumps(document))
    first, second, third = (str(tmp_path / name) for name in ("root", "opening", "other"))

    assert "is sound" in run("receipt", "verify", "-", "--key", public, given=json.dumps(shown))
    assert "two roots of epoch 1" in run("disputes", "contradict", first, third, "--key", public)
    run("disputes", "contradict", first, second, "--key", public, code=1)
    run("disputes", "contradict", first, third, "--slash", ACME, code=1)
    shown["proof"]["signed"][0] = other
    assert "signature below its epoch's root" in run(
        "receipt", "verify", "-", "--key", public, given=json.dumps(shown), code=1
    )


def test_replay_names_what_was_changed(home: Path) -> None:
    run("deposit", "ann", "1", "--name", "wire-1")
    run("stop", "platform", "--why", "a leak")
    with Bare(prepared(load(*SECTIONS, partial=True))) as bare:
        bare.run("UPDATE compute_balance SET micro = micro + 1 WHERE account = 'user:ann'")
    assert "balance of user:ann is 1000001, the log says 1000000" in run("replay", code=1)
    run("replay", "--expect", "ab" * 32, code=1)
