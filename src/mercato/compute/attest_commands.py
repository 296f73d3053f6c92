"""`mercato compute attest`: has every upstream that is in a trusted machine prove itself now."""

from __future__ import annotations

from typing import Any

import typer

from mercato.compute.terminal import AsJson, show, table


def add_to(app: typer.Typer) -> None:
    """Adds the command to those of the room."""
    app.command()(attest)


def attest(as_json: AsJson = False) -> None:
    """Have every upstream whose settings have `tee` prove itself now, and keep what was found; fails where one did
    not."""
    from mercato.compute.attesting import Attestation
    from mercato.compute.gateway.catalogue import named
    from mercato.compute.installation import SECTIONS, prepared
    from mercato.compute.settings import ComputeSettings
    from mercato.core.clock import SystemClock
    from mercato.core.settings import load

    settings = load(*SECTIONS, partial=True)
    wanted, url = settings.of(ComputeSettings), prepared(settings)
    names = {named(name): name for name in wanted.upstreams}
    checked = Attestation(url, settings.home, wanted, SystemClock()).check(everybody=True)
    found: list[dict[str, Any]] = [{"name": names[it.provider], "model": it.model, **it.body()} for it in checked]
    if as_json:
        show(found)
    else:
        table(["name", "model", "machine", "until", "why"], [
            [it["name"], it["model"], it["level"], it["until"][:19], it["why"]] for it in found
        ])  # fmt: skip
    if any(it["level"] == "none" for it in found):
        raise typer.Exit(1)
