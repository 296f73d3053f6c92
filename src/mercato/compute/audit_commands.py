"""`mercato compute audits` and `mercato compute calibrate`: what was verified, and what honest answers look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mercato.compute.terminal import AsJson, show, table, till
from mercato.core.errors import ConfigError

if TYPE_CHECKING:
    from mercato.compute.settings import ComputeSettings
    from mercato.compute.verify.calibration import Calibration, Distances
    from mercato.compute.verify.drift import Drift


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the room."""
    app.command()(audits)
    app.command()(calibrate)


def audits(
    provider: Annotated[str, typer.Argument(help="Its id, such as prov_…; all without.")] = "",
    limit: Annotated[int, typer.Option(help="How many, the newest.", min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List audits with what was found, newest first, and the draws' commitments and revealed secrets."""
    from mercato.compute import audits as store

    with till() as books, books.bare.read():
        found = store.latest(books.bare, provider, limit=limit)
        epochs = store.published(books.bare)[-limit:]
    if as_json:
        body = [
            {"request": each.request, "provider": each.provider, "model": each.model, "asked": each.asked.isoformat(),
             "verdict": each.verdict or "waiting", "method": each.method, "statistic": dict(each.statistic),
             "checker": each.checker} for each in found
        ]  # fmt: skip
        draws = [{"epoch": number, "commitment": made, "secret": public} for number, made, public in epochs]
        show({"audits": body, "draws": draws})
        return
    rows = [
        [each.request, each.provider, each.method or "—", each.verdict or "waiting",
         each.asked.isoformat(timespec="seconds"), store.said(each.statistic) or "—"] for each in found
    ]  # fmt: skip
    table(["request", "provider", "method", "verdict", "asked", "found"], rows)
    table(["draws of hour", "commitment", "secret"], [[number, made, public or "—"] for number, made, public in epochs])


def calibrate(
    upstream: Annotated[str, typer.Argument(help="An upstream of the settings that is honest for sure.")],
    model: Annotated[str, typer.Option(help="The model's id here.")],
    answers: Annotated[int, typer.Option(help="Answers to compare.", min=80, max=100_000)] = 400,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="The model makes embeddings.")] = False,
    commitments: Annotated[bool, typer.Option("--commitments", help="Open commitments to hidden states.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure how honest answers differ from the reference's, and print the settings that follow."""
    import asyncio

    from mercato.compute.installation import SECTIONS
    from mercato.compute.settings import ComputeSettings
    from mercato.compute.verify.calibration import Calibration
    from mercato.compute.verify.drift import Drift
    from mercato.core.settings import load

    wanted = load(*SECTIONS, partial=True).of(ComputeSettings)
    for name in (upstream, wanted.audit.states if commitments else wanted.audit.checker):
        if name not in wanted.upstreams or model not in wanted.upstreams[name].models:
            hint = f"name upstreams that list the model, and [compute.audit] {'states' if commitments else 'checker'}"
            raise ConfigError(f"upstream was {name!r}, which does not serve {model!r}", hint=hint)
    what = "commitments" if commitments else "embeddings" if embeddings else ""
    found = asyncio.run(_calibrated(wanted, upstream, model, answers, what))
    if isinstance(found, Drift):
        _drift(found, as_json)
    elif not isinstance(found, Calibration):
        _distances(found, as_json)
    elif as_json:
        cut = {"rate": found.cut.rate, "alike": found.cut.alike}
        show({"answers": found.answers, "match": found.match, "honest": found.honest, **cut})
    else:
        typer.echo(f"# {found.answers} answers judged; {found.match:.2%} of tokens match")
        typer.echo(f"[compute.audit]\nrate = {found.cut.rate:.4f}\nalike = {found.cut.alike:.4f}")
        typer.echo(f"honest = {found.honest:.4f}  # the largest of what the kinds of answers need")


def _distances(found: Distances, as_json: bool) -> None:
    if as_json:
        show({"answers": found.answers, "apart": found.apart, "honest": found.honest})
        return
    typer.echo(f"# {found.answers} answers judged\n[compute.audit]\napart = {found.apart:.9f}")
    typer.echo(f"honest = {found.honest:.4f}  # the largest of what the kinds of answers need")


def _drift(found: Drift, as_json: bool) -> None:
    limits = {
        "exponents": found.limits.exponents, "mantissa_mean": round(found.limits.mean, 2),
        "mantissa_median": found.limits.median,
    }  # fmt: skip
    if as_json:
        show({"answers": found.answers, "honest": found.honest, **limits})
        return
    typer.echo(f"# commitments of {found.answers} answers opened\n[compute.audit]")
    for name, value in limits.items():
        typer.echo(f"{name} = {value}")
    typer.echo(f"honest = {found.honest:.4f}  # the largest of what the kinds of answers need")


async def _calibrated(
    wanted: ComputeSettings, upstream: str, model: str, answers: int, what: str
) -> Calibration | Distances | Drift:  # fmt: skip
    from random import SystemRandom

    from mercato.compute.gateway.catalogue import named
    from mercato.compute.opening import Upstreams
    from mercato.compute.verify import synced
    from mercato.compute.verify.calibration import calibrate, distances
    from mercato.compute.verify.drift import drift
    from mercato.compute.verifying import reference, states

    lines = Upstreams(wanted.upstreams, wanted.answer_octets)
    try:
        line = lines.line(named(upstream))
        assert line is not None, "it is among the settings"
        name = wanted.upstreams[upstream].models[model].upstream or model
        warm = synced.FEATURE in wanted.upstreams[upstream].models[model].features
        if what == "commitments":
            opener = states(wanted, lines.line)
            assert opener is not None, "settings have named it"
            return await drift(line, opener, model, name, answers, SystemRandom())
        checker = reference(wanted, lines.line)
        if what:
            return await distances(line, checker, model, name, answers, SystemRandom())
        return await calibrate(line, checker, model, name, answers, SystemRandom(), synced=warm)
    finally:
        await lines.close()
