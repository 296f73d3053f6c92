"""`mercato compute provider …`: providers that are a plain address, registered without editing settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.compute.terminal import till
from mercato.core.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from mercato.compute.model import ProviderId
    from mercato.compute.settings import Upstream

app = typer.Typer(help="Providers that are a plain address.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A name for it: lower-case letters, digits, '.', '_' and '-'.")]
Url = Annotated[str, typer.Option(help="Its address, up to and with /v1.", metavar="URL")]
Model = Annotated[str, typer.Option(help="The model's id here.")]
There = Annotated[str, typer.Option("--upstream-model", help="Its name there, where it is another.")]
Prompt = Annotated[int, typer.Option("--prompt-price", min=0, help="Micro-dollars for a million tokens read.")]
Completion = Annotated[int, typer.Option("--completion-price", min=0, help="The same for tokens written.")]
Cached = Annotated[int | None, typer.Option("--cached-price", min=0, help="The same for those read from a cache.")]
Context = Annotated[int, typer.Option(min=1, help="Its context.")]
Feature = Annotated[list[str] | None, typer.Option(help="What it can do, such as tools; may be repeated.")]
Quant = Annotated[str, typer.Option(help="Its quantisation, such as fp8.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests at once.")]
KeyFile = Annotated[str, typer.Option(help="The file that holds its key, in the data folder.", metavar="PATH")]
Region = Annotated[str, typer.Option(help="Where it is, such as eu.")]
Zdr = Annotated[bool, typer.Option("--zdr", help="It keeps no prompts.")]
Private = Annotated[bool, typer.Option("--private", help="Allow an address that is not public, or without TLS.")]
Trusted = Annotated[bool, typer.Option("--trusted", help="Admit it by your word: no probation.")]


@app.command()
def add(
    name: Name, url: Url, model: Model, prompt_price: Prompt, completion_price: Completion = 0,
    cached_price: Cached = None, upstream_model: There = "", context: Context = 8192, feature: Feature = None,
    quant: Quant = "", concurrency: Concurrency = 16, key_file: KeyFile = "",
    region: Region = "", zdr: Zdr = False, private: Private = False, trusted: Trusted = False,
) -> None:  # fmt: skip
    """Register a model of a provider by its address, or change it; gateways that run take it up in seconds."""
    from dataclasses import replace

    from mercato.compute import addresses
    from mercato.compute.addresses import Address
    from mercato.compute.gateway.catalogue import listed
    from mercato.compute.model import Standing
    from mercato.compute.provider_commands import move
    from mercato.compute.verify.standing import Event
    from mercato.core.settings import load

    one = {
        "prompt": prompt_price, "completion": completion_price, "cached": cached_price, "context": context,
        "upstream": upstream_model, "features": frozenset(feature or ()), "quant": quant, "concurrency": concurrency,
    }  # fmt: skip
    facts = {"url": url, "private": private, "region": region, "zdr": zdr, "models": {model: one}}
    [(provider, offer)] = listed({name: _checked(name, facts)})
    found = replace(provider, standing=Standing.PROBATION)
    addresses.secret(key_file, load(partial=True).home)  # refused where it cannot be read now
    with till() as books, books.writing() as pen:
        address = Address(found, (offer,), key_file, private)
        stands = addresses.register(pen.bare, address, pen.at)
        if trusted and stands.standing is Standing.PROBATION:
            stands = move(pen, stands, Event.ADMITTED, "operator", "registered as trusted")
    typer.echo(f"{stands.id} ({name}) serves {model} and is {stands.standing.value}")


@app.command()
def remove(name: Name, model: Annotated[str, typer.Option(help="Only this model.")] = "") -> None:
    """Take a provider out, or one of its models; it is paid what it earned all the same."""
    from mercato.compute import addresses

    with till() as books, books.bare.transaction():
        left = addresses.withdraw(books.bare, _id(name), model)
    typer.echo(f"{name} serves {left} other models" if left else f"{name} is out")


def _id(name: str) -> ProviderId:
    from mercato.compute.gateway.catalogue import named

    return named(name)


def _checked(name: str, facts: dict[str, Any]) -> Upstream:
    """Returns what was given as the settings would have it; InvalidInput where it is wrong, Conflict where the settings
    have that name."""
    from pydantic import ValidationError

    from mercato.compute.installation import SECTIONS
    from mercato.compute.settings import ComputeSettings
    from mercato.core.settings import load

    if name in load(*SECTIONS, partial=True).of(ComputeSettings).upstreams:
        raise Conflict(f"name was {name!r}, which the settings have", hint="choose another, or change it there")
    try:
        found = ComputeSettings.model_validate({"upstreams": {name: facts}}).upstreams[name]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise InvalidInput(
            f"{where or 'name'} was wrong: {first['msg'].removeprefix('Value error, ')}",
            hint="see `mercato compute provider add --help`",
        ) from None
    if not found.private:
        _open(found.url)
    return found


def _open(url: str) -> None:
    """Refuses an address that would not be connected to; names are looked up when they are."""
    from mercato.compute.errors import Unreached
    from mercato.compute.gateway.upstream import placed, refuse_private

    if not url.startswith("https://"):
        raise InvalidInput(f"address was {url!r:.200}: keys and prompts would be readable on the way", hint="use https")
    try:
        refuse_private(placed(url).host)
    except Unreached as error:
        hint = "give --private for one of your own" if error.why == "private" else error.hint
        raise InvalidInput(error.message, hint=hint) from None
