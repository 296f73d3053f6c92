"""`mercato compute canaries …`: questions whose answers are known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.compute.terminal import AsJson, show, table
from mercato.core.errors import ConfigError

if TYPE_CHECKING:
    from mercato.compute.settings import ComputeSettings
    from mercato.compute.verify.known import Canary

app = typer.Typer(help="Questions whose answers are known beforehand.", no_args_is_help=True)
FILE = "canaries.jsonl"


@app.command()
def check(as_json: AsJson = False) -> None:
    """Read the file of canaries as the gateway would, and print how many there are for each model."""
    from mercato.compute.verify.known import read

    _, path = _settings()
    found = read(path).models()
    if as_json:
        show(found)
    else:
        table(["model", "canaries"], [[name, count] for name, count in found.items()])


@app.command()
def record(
    model: Annotated[str, typer.Argument(help="The model's id here.")],
    count: Annotated[
        int, typer.Option(help="How many of our questions to ask; some are dropped.", min=1, max=10_000)
    ] = 200,
    questions: Annotated[str, typer.Option(help="A file with a question of yours on each line; else ours.")] = "",
    upstream: Annotated[str, typer.Option(help="An honest upstream of the settings [default: the checker].")] = "",
) -> None:
    """Have a trusted upstream answer fresh questions, and add those that it answers alike each time to the file."""
    import asyncio
    from random import SystemRandom

    from mercato.compute.verify.recording import question

    wanted, path = _settings()
    name = upstream or wanted.audit.checker
    if name not in wanted.upstreams or model not in wanted.upstreams[name].models:
        hint = "name an upstream that lists the model, or [compute.audit] checker"
        raise ConfigError(f"upstream was {name!r}, which does not serve {model!r}", hint=hint)
    texts = _lines(questions) if questions else [question(SystemRandom()) for _ in range(count)]
    made = asyncio.run(_recorded(wanted, name, model, texts))
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{canary.line()}\n" for canary in made)
    path.chmod(0o600)
    typer.echo(f"{len(made)} of {len(texts)} canaries were added to {path.name}; the gateway reads it when it starts")


async def _recorded(wanted: ComputeSettings, upstream: str, model: str, texts: list[str]) -> list[Canary]:
    from mercato.compute.gateway.catalogue import named
    from mercato.compute.opening import Upstreams
    from mercato.compute.verify.recording import recorded

    lines = Upstreams(wanted.upstreams, wanted.answer_octets)
    try:
        line = lines.line(named(upstream))
        assert line is not None, "it is among the settings"
        name = wanted.upstreams[upstream].models[model].upstream or model
        return await recorded(line, model, name, texts)
    finally:
        await lines.close()


def _lines(file: str) -> list[str]:
    try:
        found = [line.strip() for line in Path(file).read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"questions {file!r} were not readable: {error!s:.120}", hint="UTF-8 text") from None
    return [line for line in found if line]


def _settings() -> tuple[ComputeSettings, Path]:
    """Returns the room's settings and where the file of canaries is, or will be."""
    from mercato.compute.installation import SECTIONS
    from mercato.compute.settings import ComputeSettings
    from mercato.core.settings import load

    settings = load(*SECTIONS, partial=True)
    wanted = settings.of(ComputeSettings)
    return wanted, settings.home / (wanted.audit.canary_file or FILE)
