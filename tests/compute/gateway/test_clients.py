"""Clients that others wrote: OpenAI's for Python and for npm, and Pydantic AI's model over the former.

Each sees the classes of errors that it would see at OpenAI's, and asks as often as it does there.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from mercato.compute.books.keys import Scope
from mercato.compute.gateway.catalogue import named
from mercato.compute.testing import stub
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import QUESTION, House
from tests.npm import run

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 6}


class Counting(httpx.HTTPTransport):
    """Sends, and counts how often."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return super().handle_request(request)


def tries(home: House, key: str = "", **ask: Any) -> tuple[str, int]:
    """Returns the class of the error that the official client raises, and how often it asked."""
    counting = Counting()
    client = home.client(key, http_client=httpx.Client(transport=counting))
    with pytest.raises(openai.OpenAIError) as raised:
        list(client.chat.completions.create(**{**ASK, "stream": True, **ask}))
    return type(raised.value).__name__, counting.sent


def only(name: str) -> dict[str, Any]:
    return {"extra_body": {"provider": {"only": [name]}}}


def test_the_official_client_raises_what_it_would_elsewhere_and_asks_as_often(house: Open) -> None:
    with stub("truncate", after=3) as cut, stub("flaky", status=429) as busy, stub("flaky", status=400) as strict:
        home = house({"cut": cut.url, "busy": busy.url, "strict": strict.url})
        scoped = home.key("ann", scope=Scope(models=frozenset({"another"})))
        found = {
            "cut": tries(home, **only("cut")),
            "busy": tries(home, **only("busy")),
            "strict": tries(home, **only("strict")),
            "unknown": tries(home, model="other"),
            "wrong": tries(home, max_tokens=-1),
            "stranger": tries(home, "mk_wrong"),
            "scoped": tries(home, scoped),
            "poor": tries(home, home.key("poor")),
            "unfit": tries(home, extra_body={"provider": {"only": ["nobody"]}}),
        }

    assert found == {
        "cut": ("APIError", 1),
        "busy": ("RateLimitError", 3),
        "strict": ("BadRequestError", 1),
        "unknown": ("NotFoundError", 1),
        "wrong": ("BadRequestError", 1),
        "stranger": ("AuthenticationError", 1),
        "scoped": ("PermissionDeniedError", 1),
        "poor": ("APIStatusError", 1),
        "unfit": ("BadRequestError", 1),
    }
    assert len(cut.asked) == 1, "what was begun is not asked again"


def test_a_client_that_asks_again_with_its_idempotency_key_is_charged_once(house: Open) -> None:
    with stub(delay=0.5) as one:
        home = house({"one": one.url})
        client = home.client(max_retries=5, timeout=0.2)
        headers = {"idempotency-key": "the-same"}
        with pytest.raises(openai.APITimeoutError):
            home.client(max_retries=0, timeout=0.2).chat.completions.create(**ASK, extra_headers=headers)
        said = client.with_options(timeout=5).chat.completions.create(**ASK, extra_headers=headers)

    assert said.choices[0].message.content
    assert 0 < 1_000_000 - home.balance("ann")[0] < 20


def test_completions_and_embeddings_are_read_by_the_official_client(house: Open) -> None:
    with stub() as one:
        client = house({"one": one.url}).client()
        text = client.completions.create(model="toy", prompt="Once", max_tokens=4)
        chunks = list(client.completions.create(model="toy", prompt="Once", max_tokens=4, stream=True))
        vectors = client.embeddings.create(model="toy", input=["a", "b"])

    assert text.choices[0].text.split() == "".join(chunk.choices[0].text for chunk in chunks).split()
    assert len(vectors.data) == 2


class Verdict(BaseModel):
    fair: bool
    why: str


class Scripted:
    """A provider that says what it is told to, in order: an HTTP server that keeps the bodies it got."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.bodies: list[Any] = []
        self._messages = list(messages)

    def answer(self, body: Any) -> dict[str, Any]:
        self.bodies.append(body)
        message = {"role": "assistant", "content": None, **self._messages[len(self.bodies) - 1]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        return {
            "id": "s",
            "object": "chat.completion",
            "created": 1,
            "model": "toy",
            "choices": [choice],
            "usage": usage,
        }


@pytest.fixture
def scripted() -> Any:
    """Serves a script on loopback; yields a function that gives it and returns its address."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            said = json.dumps(self.server.script.answer(json.loads(raw))).encode()  # type: ignore[attr-defined]  # our own server has it
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def give(script: Scripted) -> str:
        server.script = script  # type: ignore[attr-defined]  # our own server has it
        return f"http://127.0.0.1:{server.server_port}/v1"

    yield give
    server.shutdown()
    server.server_close()
    thread.join(10)


def call(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"tool_calls": [{"id": f"call-{name}", "type": "function", "function": function}]}


def test_an_agent_of_pydantic_ai_calls_its_tools_through_the_gateway(house: Open, scripted: Any) -> None:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    script = Scripted(call("price", of="AGENT"), call("final_result", fair=True, why="it costs 7"))
    home = house({"one": scripted(script)})

    async def judged() -> tuple[Verdict, int]:
        async with AsyncOpenAI(base_url=home.base, api_key=home.ann) as client:
            agent = Agent(OpenAIChatModel("toy", provider=OpenAIProvider(openai_client=client)), output_type=Verdict)

            @agent.tool_plain
            def price(of: str) -> str:
                """Returns what a token costs."""
                return f"{of} costs 7"

            done = await agent.run("Is it fair?")
            return done.output, done.usage.requests

    import asyncio

    verdict, requests = asyncio.run(judged())
    told = script.bodies[1]["messages"][-1]

    assert verdict == Verdict(fair=True, why="it costs 7")
    assert requests == 2
    assert (told["role"], told["content"]) == ("tool", "AGENT costs 7")
    assert home.balance("ann")[1] == 0


@pytest.mark.npm
def test_the_npm_client_reads_everything_and_raises_what_it_would_elsewhere(house: Open) -> None:
    with stub() as good, stub("truncate", after=3) as cut, stub("flaky", status=429) as busy:
        home = house({"good": good.url, "cut": cut.url, "busy": busy.url})
        whole = home.post("/chat/completions", {**ASK, "provider": {"only": [named("good")]}}).json
        done = run(Path(__file__).parent / "clients" / "client.ts", home.base, home.ann, home.key("poor"))

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    words = whole["choices"][0]["message"]["content"]
    assert found == {
        "whole": words, "provider": "good", "streamed": words, "response": words, "vectors": 2,
        "models": ["toy"],
        "unknown": ["NotFoundError", 404, "model_not_found"],
        "wrong": ["BadRequestError", 400, "invalid_request"],
        "stranger": ["AuthenticationError", 401, "invalid_api_key"],
        "poor": ["APIError", 402, "insufficient_quota"],
        "cut": ["APIError", None, "truncated"],
        "busy": ["RateLimitError", 429, "providers_busy"],
    }  # fmt: skip
