"""A gateway and a provider on two machines, as processes: the provider's lets nobody in, and serves all the same."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from mercato.compute.books.receipts import signed_by
from mercato.store.bare import Bare
from tests.compute.gateway.house import blank, funded
from tests.compute.node import nat
from tests.waiting import wait_for

QUESTION: Any = [{"role": "user", "content": "What does the agent earn?"}]


@pytest.fixture
def gateway(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a gateway that is a process of its own, and lets any node try."""
    blank(home)
    monkeypatch.setenv("MERCATO_COMPUTE_NODES", "anyone")
    command = [str(Path(sys.executable).with_name("mercato")), "compute", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().split("://")[1]
    yield int(address.partition(":")[2].partition("/")[0])
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def client(home: Path, port: int) -> OpenAI:
    secret = funded(home)
    return OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=secret, max_retries=0)


def test_a_provider_behind_a_nat_serves_drains_and_is_paid_and_nobody_can_dial_in(
    home: Path, tmp_path: Path, gateway: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = nat.allowed()
    asking = client(home, gateway)
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path / "provider"))
    with nat.behind(gateway, tmp_path, "0.02", str(tmp_path / "node.log"), apart=apart) as inside:
        assert inside.stdout is not None
        seen = json.loads(inside.stdout.readline())
        upstream = int(seen["upstream"].rpartition(":")[2].partition("/")[0])
        assert seen["listening"] == 0
        assert (seen["routes"] == 0) is apart
        with socket.socket() as dialling:
            assert (dialling.connect_ex(("127.0.0.1", upstream)) != 0) is apart

        wait_for(lambda: bool(asking.models.list().data))
        whole = asking.chat.completions.create(model="toy", messages=QUESTION)
        assert whole.choices[0].message.content
        streaming = asking.chat.completions.create(model="toy", messages=QUESTION, stream=True)
        events = [next(streaming)]
        inside.send_signal(signal.SIGTERM)
        events += list(streaming)
        assert "".join(event.choices[0].delta.content or "" for event in events if event.choices) == (
            whole.choices[0].message.content
        )
        assert json.loads(inside.stdout.readline()) == {"status": 0}

    with Bare(f"sqlite:///{home / 'mercato.db'}") as bare:
        rows = bare.run("SELECT hash, countersigned, earned FROM compute_receipt JOIN compute_entry USING (lane, seq)")
        ((key, standing),) = bare.run("SELECT key, standing FROM compute_provider")
    log = (tmp_path / "node.log").read_text()
    assert len(rows) == 2
    assert all(signed_by(key, hash, countersigned) and earned for hash, countersigned, earned in rows)
    assert standing == "probation"
    assert os.stat(tmp_path / "provider" / "node" / "key.pem").st_mode & 0o777 == 0o600
    assert "What does the agent earn" not in log + (tmp_path / "log").read_text()
    assert str(whole.choices[0].message.content) not in log
