"""What an operator sees and does: metrics, draining, kill switches, several workers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from openai import OpenAI

from mercato.compute.books import switch
from mercato.compute.books.till import Till
from mercato.compute.gateway import admin
from mercato.compute.gateway.admin import Admin, numbered
from mercato.compute.signing import signer
from mercato.compute.testing import stub
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError
from mercato.store.bare import Bare
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.endless import endless
from tests.compute.gateway.house import QUESTION, funded, furnished

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 5}


async def plane(path: Path, method: str, place: str) -> tuple[int, str]:
    """Returns status and text of what the admin plane answers."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
        session.request(method, f"http://plane{place}") as answer,
    ):
        return answer.status, await answer.text()


def test_the_admin_plane_counts_what_was_served_and_refused_and_is_its_owners_alone(house: Open) -> None:
    with stub("lie-usage") as one:
        home = house({"one": one.url}, admin="plane")
        home.post("/chat/completions", ASK)
        home.post("/chat/completions", {**ASK, "stream": True})
        home.post("/chat/completions", {**ASK, "n": 0})
        where = home.home / "plane"
        status, text = asyncio.run(plane(where, "GET", "/metrics"))
        others = [
            asyncio.run(plane(where, *ask))[0] for ask in (("GET", "/health"), ("GET", "/requests"), ("GET", "/"))
        ]

    assert status == 200
    assert 'mercato_compute_requests_total{end="done",surface="chat"} 2.0' in text
    assert 'mercato_compute_refused_total{status="400"} 1.0' in text
    assert 'mercato_compute_attempts_total{error="",provider="one"} 2.0' in text
    assert 'mercato_compute_overclaimed_tokens_total{provider="one"} 90.0' in text
    assert stat.S_IMODE(where.stat().st_mode) == 0o600
    assert others == [200, 200, 404]


def test_no_page_in_a_browser_drains_a_worker() -> None:
    async def ask(*headers: tuple[bytes, bytes]) -> int:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/drain", "headers": list(headers)}
        await Admin(None, None, lambda: drained.append(1))(scope, None, send)  # type: ignore[arg-type]  # neither is asked here
        return int(sent[0]["status"])

    drained: list[int] = []
    assert asyncio.run(ask((b"origin", b"https://evil.example"))) == 403
    assert drained == []
    assert asyncio.run(ask()) == 202
    assert drained == [1]


@pytest.mark.parametrize("place", ["[::1]:0", "127.0.0.1:0", "plane"])
def test_an_admin_plane_listens_where_it_is_told(tmp_path: Path, place: str) -> None:
    async def go() -> bool:
        async with admin.serving(Admin(None, None, lambda: None), place, tmp_path):  # type: ignore[arg-type]  # nobody asks
            return True

    assert asyncio.run(go())
    assert asyncio.run(go()), "what a worker before left there is replaced"


def test_an_admin_plane_takes_no_files_place(tmp_path: Path) -> None:
    async def go() -> None:
        async with admin.serving(Admin(None, None, lambda: None), "mercato.db", tmp_path):  # type: ignore[arg-type]  # nobody asks
            pass

    (tmp_path / "mercato.db").write_bytes(b"precious")
    with pytest.raises(ConfigError, match=r"mercato\.db"):
        asyncio.run(go())

    assert (tmp_path / "mercato.db").read_bytes() == b"precious"


def test_workers_have_admin_planes_of_their_own() -> None:
    assert [numbered(place, 2) for place in ("", "127.0.0.1:8601", "a/compute.sock")] == [
        "", "127.0.0.1:8603", "a/compute-2.sock",
    ]  # fmt: skip


def test_a_kill_switch_refuses_what_comes_and_cuts_what_runs(house: Open) -> None:
    async def cut(home: Any, till: Till) -> tuple[bytes, str]:
        headers = {"authorization": f"Bearer {home.ann}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            address = f"{home.base}/chat/completions"
            running = await session.post(address, json={**ASK, "stream": True})
            await running.content.readuntil(b"\n\n")
            await asyncio.to_thread(switch.turn, till, "account:ann", on=True, by="test", why="enough")
            async with session.post(address, json=ASK) as refused:
                assert (refused.status, (await refused.json())["error"]["code"]) == (403, "stopped")
            return (await running.read())[-300:], running.headers["x-request-id"]

    with endless(gap=0.02) as one:
        home = house({"one": one})
        till = Till(home.url, SystemClock(), signer(home.home))
        ended, name = asyncio.run(cut(home, till))
        receipt = home.get(f"/receipts/{name}").json
        till.close()

    assert b'"code": "stopped"' in ended
    assert b"[DONE]" not in ended
    assert receipt["end"] == "client-gone"


def test_a_silent_provider_does_not_look_like_a_dead_gateway(house: Open) -> None:
    with stub("stall", after=2) as one:
        home = house({"one": one.url}, beat_seconds=0.5, idle_seconds=2.5)
        answer = home.post("/chat/completions", {**ASK, "stream": True})

    assert b": keep-alive\n\n" in answer.body


@contextmanager
def serving(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs `mercato compute serve`; yields its process and address."""
    command = [sys.executable, "-c", "from mercato.cli import main; main()", "compute", "serve", "--port", "0", *more]
    process = subprocess.Popen(
        command, env={**os.environ, "MERCATO_HOME": str(home)}, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process, re.findall(r"http\S+", process.stdout.readline())[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_command_serves_with_as_many_workers_as_the_settings_name_and_ends_well(
    tmp_path: Path, database: Path, workers: int
) -> None:
    home = furnished(tmp_path / "home", database)
    secret = funded(home)
    with stub() as one:
        model = "{ prompt = 200000, completion = 400000 }"
        (home / "mercato.toml").write_text(
            f'[compute]\nworkers = {workers}\nadmin = ""\n[compute.upstreams.one]\nurl = "{one.url}"\nprivate = true\n'
            f"[compute.upstreams.one.models]\ntoy = {model}\n"
        )
        with serving(home) as (process, base):
            with OpenAI(base_url=base, api_key=secret) as client:
                said = client.chat.completions.create(**ASK)
            lanes = _lanes(f"sqlite:///{home / 'mercato.db'}", workers)
            for child in psutil.Process(process.pid).children():  # a worker that is killed is followed by another
                child.kill()
            with OpenAI(base_url=base, api_key=secret, max_retries=9) as client:
                again = client.chat.completions.create(**ASK)

    assert said.choices[0].message.content == again.choices[0].message.content
    assert process.returncode == 0
    assert lanes == workers
    assert json.loads(json.dumps(said.usage and said.usage.completion_tokens)) == 5


def _lanes(url: str, wanted: int) -> int:
    """Returns how many workers write to the books, once there are as many as wanted."""
    end = time.monotonic() + 20
    with Bare(url) as bare:
        while (found := bare.run("SELECT COUNT(*) FROM compute_lane WHERE lane <> 'books'")[0][0]) < wanted:
            assert time.monotonic() < end, f"{found} of {wanted} workers came"
            time.sleep(0.05)
    return int(found)


def test_a_first_word_that_is_late_does_not_look_like_a_dead_gateway_either(house: Open) -> None:
    with stub("slow", delay=2.2) as slow, stub("slow", delay=30) as never:
        home = house({"slow": slow.url, "never": never.url}, beat_seconds=0.3, first_seconds=2.8)
        late = home.post("/chat/completions", {**ASK, "stream": True, "provider": {"only": ["slow"]}})
        silent = home.post("/chat/completions", {**ASK, "stream": True, "provider": {"only": ["never"]}})

    assert late.body.startswith(b": keep-alive\n\n")
    assert late.body.endswith(b"data: [DONE]\n\n")
    assert late.headers["x-provider"] == "slow"
    assert silent.body.rstrip().rpartition(b"\n\n")[2].startswith(b'data: {"error"')
    assert b"upstream_timeout" in silent.body
    assert home.balance("ann")[1] == 0
