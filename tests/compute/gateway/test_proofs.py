"""A user proves by its own key, and by nothing of the operator's, what it was charged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from typer.testing import CliRunner

from mercato.cli.root import app
from mercato.compute.books import epochs
from mercato.compute.books.receipts import opens
from mercato.compute.books.till import Till
from mercato.compute.signing import signer
from mercato.compute.testing import stub
from mercato.core.clock import SystemClock
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import QUESTION, Answer, House

ASK = {"model": "toy", "messages": QUESTION, "max_tokens": 9}


def closed(home: House) -> None:
    """Closes an epoch, as the worker of `mercato up` does each hour."""
    with Till(home.url, SystemClock(), signer(home.home)) as till:
        epochs.close(till)


def name(answer: Answer) -> str:
    return answer.headers["x-request-id"]


def test_a_users_receipt_opens_the_root_of_its_epoch_and_the_command_finds_it_sound(
    house: Open, tmp_path: Path
) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        answers = [home.post("/chat/completions", {**ASK, "stream": number % 2 == 1}) for number in range(5)]
        closed(home)
        (root,) = home.get("/epochs").json["data"]
        found = [home.get(f"/proofs/{name(answer)}").json for answer in answers]

    assert root["receipts"] == 5
    for answer, receipt in zip(answers, found, strict=True):
        events = [event for event in answer.body.split(b"\n\n") if not event.startswith(b":")]
        assert receipt["answered"] == hashlib.sha256(b"\n\n".join(events)).hexdigest()
        proof = receipt["proof"]
        assert opens(root["root"], receipt["hash"], proof["index"], proof["receipts"], proof["path"])
        file = tmp_path / "receipt.json"
        file.write_text(json.dumps(receipt))
        told = ["compute", "receipt", "verify", str(file), "--key", receipt["gateway_key"], "--root", root["root"]]
        assert CliRunner().invoke(app, told).exit_code == 0


def test_a_proof_is_for_the_key_that_asked_and_once_the_epoch_is_closed(house: Open) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        request = name(home.post("/chat/completions", ASK))
        early = home.get(f"/proofs/{request}")
        closed(home)
        other = {"authorization": f"Bearer {home.key('ann')}"}
        strange = home.get(f"/proofs/{request}", other)
        known = home.get(f"/proofs/{request}")
        nothing = home.get("/proofs/req_nothing")
        plain = [home.get(f"/receipts/{request}", headers).status for headers in ({}, other)]

    assert (early.status, "still open" in early.error["message"]) == (404, True)
    assert [strange.status, known.status, nothing.status] == [404, 200, 404]
    assert plain == [200, 404]
