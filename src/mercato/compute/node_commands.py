"""`mercato compute provide` and `mercato compute node …`: serve a model from one's own machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import ConfigError

if TYPE_CHECKING:
    from mercato.compute.node.settings import NodeSettings

app = typer.Typer(help="A node's key, its upstream, and what it served.", no_args_is_help=True)

Upstream = Annotated[str, typer.Option(help="Your model's server, up to /v1.", metavar="URL")]
Gateways = Annotated[list[str] | None, typer.Option("--gateway", help="Whom to dial; may be repeated.", metavar="URL")]
Model = Annotated[str, typer.Option(help="The model's id at the gateway; settings may name several.")]
Prompt = Annotated[int, typer.Option("--prompt-price", min=0, help="Micro-dollars for a million tokens read.")]
Completion = Annotated[int, typer.Option("--completion-price", min=0, help="The same for tokens written.")]
Name = Annotated[str, typer.Option("--upstream-model", help="Its name at your server, where it is another.")]
Context = Annotated[int | None, typer.Option(min=1, help="Its context; else the server is asked.")]
Quant = Annotated[str, typer.Option(help="Its quantisation, such as fp8.")]
Weights = Annotated[str, typer.Option(help="File or folder of its weights, which are hashed.", metavar="PATH")]
Expect = Annotated[str, typer.Option(help="The SHA-256 that they must have.", metavar="HEX")]
Tokenizer = Annotated[str, typer.Option(help="Its tokenizer's folder, where it is not the weights'.", metavar="PATH")]
ExpectTokenizer = Annotated[str, typer.Option(help="The SHA-256 that its tokenizer must have.", metavar="HEX")]
Template = Annotated[str, typer.Option(help="Its chat template's file, where it is not in that.", metavar="PATH")]
ExpectTemplate = Annotated[str, typer.Option(help="The SHA-256 that its template must have.", metavar="HEX")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="Requests at once.")]
Minute = Annotated[int | None, typer.Option("--per-minute", min=1, help="Requests in a minute.")]
Tokens = Annotated[int | None, typer.Option("--tokens-per-day", min=1, help="Tokens in a day, UTC.")]
Worth = Annotated[int | None, typer.Option("--worth-per-day", min=1, help="Micro-dollars' worth in a day: your risk.")]
Region = Annotated[str | None, typer.Option(help="Where you are, such as eu.")]
Title = Annotated[str | None, typer.Option(help="A name for people.")]
Zdr = Annotated[bool, typer.Option("--zdr", help="Promise that your server keeps no prompts.")]
Plain = Annotated[bool, typer.Option("--plain", help="Allow a gateway without TLS that is not on this machine.")]


def provide(
    upstream: Upstream = "", gateway: Gateways = None, model: Model = "", prompt_price: Prompt = 0,
    completion_price: Completion = 0, upstream_model: Name = "", context: Context = None, quant: Quant = "",
    weights: Weights = "", expect: Expect = "", tokenizer: Tokenizer = "", expect_tokenizer: ExpectTokenizer = "",
    template: Template = "", expect_template: ExpectTemplate = "", concurrency: Concurrency = None,
    per_minute: Minute = None, tokens_per_day: Tokens = None, worth_per_day: Worth = None, region: Region = None,
    title: Title = None, zdr: Zdr = False, plain: Plain = False,
) -> None:  # fmt: skip
    """Serve a model from this machine through a gateway that you dial; nothing listens here.

    What is not given here comes from the section [node] of mercato.toml. SIGTERM ends what was begun, and leaves.
    """
    import asyncio

    one = {
        "prompt": prompt_price, "completion": completion_price, "upstream": upstream_model, "context": context,
        "quant": quant, "weights": weights, "expect": expect.lower(),
        "tokenizer": tokenizer, "expect_tokenizer": expect_tokenizer.lower(),
        "template": template, "expect_template": expect_template.lower(),
    }  # fmt: skip
    given = {
        "upstream": upstream, "gateways": gateway, "models": {model: one} if model else None, "region": region,
        "title": title, "concurrency": concurrency, "per_minute": per_minute, "tokens_per_day": tokens_per_day,
        "worth_per_day": worth_per_day, "zdr": zdr or None, "plain": plain or None,
    }  # fmt: skip
    folder, settings = _settings(given)
    asyncio.run(_provided(settings, folder))


async def _provided(settings: NodeSettings, folder: Path) -> None:
    from mercato.compute.node.provide import prepared

    node = await prepared(settings, folder, say)
    await node.run()


@app.command()
def key() -> None:
    """Print this node's public key, by which a gateway knows it; it is made where there is none."""
    from mercato.compute.node.keyfile import opened

    folder, _ = _settings({})
    typer.echo(opened(folder / "key.pem").public)


@app.command()
def hashes(path: Annotated[Path, typer.Argument(help="A model's folder, or its file.", metavar="PATH")]) -> None:
    """Print the hashes of a model's weights, tokenizer and chat template, as settings name them."""
    from mercato.compute.node import texts
    from mercato.compute.node.weights import hashed

    found = texts.of(path)
    typer.echo(f"weights    {hashed(path)}")
    typer.echo(f"tokenizer  {found.tokenizer or 'not there'}")
    typer.echo(f"template   {found.template or 'not there'}")


@app.command()
def check(upstream: Upstream, model: Annotated[str, typer.Option(help="Its name at your server.")]) -> None:
    """Print what your server shows of a model, and how fast it is; nothing is offered."""
    import asyncio

    asyncio.run(_checked(_settings({"upstream": upstream})[1], model))


async def _checked(settings: NodeSettings, model: str) -> None:
    from mercato.compute.node.measure import measured
    from mercato.compute.node.probe import probed
    from mercato.compute.node.upstream import Upstream as Server

    server = Server(settings.upstream, settings.upstream_key)
    try:
        found = await probed(server, model)
        typer.echo(f"features: {', '.join(sorted(found.features)) or 'none'}")
        typer.echo(f"context: {found.context or 'not told'}")
        speed = await measured(server, found.model, 1)
        typer.echo(f"first token after {speed.first_ms} ms, then {speed.each_per_second} tokens a second")
    finally:
        await server.close()


@app.command()
def served(day: Annotated[str, typer.Option(help="A day in UTC, as 2026-01-31; else today.")] = "") -> None:
    """Print what this node served in a day, by its own daybook, in tokens and micro-dollars at its prices."""
    from mercato.compute.node.daybook import day as found

    try:
        date = datetime.fromisoformat(day).date() if day else datetime.now(UTC).date()
    except ValueError:
        raise ConfigError(f"day was {day!r}", hint="write it as 2026-01-31") from None
    folder, _ = _settings({})
    used = found(folder / "daybook", date)
    typer.echo(f"{used.day}: {used.requests} requests, {used.tokens} tokens, worth {used.worth} micro-dollars")


@app.command()
def approve(
    key: Annotated[str, typer.Argument(help="A node's public key, as `mercato compute node key` prints it there.")],
    name: Annotated[str, typer.Option(help="A name for people.")] = "",
) -> None:
    """At the gateway: let the node with this key dial in. It serves after its offers were tried once."""
    from mercato.compute.installation import SECTIONS, prepared
    from mercato.compute.node.enrolment import approve as approved
    from mercato.compute.node.enrolment import checked
    from mercato.core.clock import SystemClock
    from mercato.core.settings import load
    from mercato.store.bare import Bare

    known = checked(key)
    with Bare(prepared(load(*SECTIONS, partial=True))) as bare:
        found = approved(bare, known, name, SystemClock())
    typer.echo(f"{found.id} ({found.name}) is {found.standing.value}")


def say(what: str, **facts: Any) -> None:
    """Writes a line of the node's log to standard error: JSON, with nothing of prompts or answers."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"at": at, "what": what, **facts}, default=str), file=sys.stderr, flush=True)  # noqa: T201 -- the log


def _settings(given: Mapping[str, Any]) -> tuple[Path, NodeSettings]:
    """Returns the node's folder, and its settings with what was given on the command line."""
    from pydantic import ValidationError

    from mercato.compute.node.settings import NodeSettings
    from mercato.core.settings import load

    loaded = load(NodeSettings, partial=True)
    changes = {name: value for name, value in given.items() if value not in (None, "")}
    try:
        section = NodeSettings.model_validate({**dict(loaded.of(NodeSettings)), **changes})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where} was wrong: {first['msg']}", hint="see `mercato compute provide --help`") from None
    return loaded.home / "node", section
