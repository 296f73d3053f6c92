"""The lab's pages: the study with the most seeds, one by its name, and what a launch risks; all simulated.

Each page says so first.
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from mercato.lab import prospects
from mercato.lab.exhibits import exhibits, headlines
from mercato.lab.report import SIMULATED
from mercato.lab.service import Lab, name

__all__ = ["NAV", "pages"]

NAV = (("/lab", "Lab"),)
"""What the site's header links to."""


class Render(Protocol):
    """Fills a template of this room or of the floor; given by the web floor."""

    def __call__(self, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Returns the filled template."""


def pages(lab: Lab, render: Render) -> APIRouter:
    """Returns the routes of the pages."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/lab")
    def show_newest() -> HTMLResponse:
        studies = lab.studies()
        return shown(studies[0] if studies else None, studies)

    @router.get("/lab/studies/{wanted}")
    def show_study(wanted: str) -> HTMLResponse:
        return shown(lab.study(wanted), lab.studies())

    @router.get("/lab/launches/{id}")
    def show_launch(id: str, asked: str = "") -> HTMLResponse:
        launch = lab.launch(id)
        found = lab.prospect(launch)
        return render(
            "lab/launch.html", launch=launch, notice=SIMULATED, found=found, asked=bool(asked) and not found,
            crowds=prospects.crowds(found) if found else None, attack=prospects.attack(found) if found else "",
            attacks=prospects.attacks(found) if found else (),
        )  # fmt: skip

    @router.post("/lab/launches/{id}")
    def try_launch(id: str) -> RedirectResponse:
        lab.ask(lab.launch(id))
        return RedirectResponse(f"/lab/launches/{quote(id)}?asked=yes", status_code=303)

    def shown(found: dict[str, Any] | None, studies: list[dict[str, Any]]) -> HTMLResponse:
        return render(
            "lab/study.html", found=found, notice=SIMULATED, name=name(found) if found else "",
            exhibits=exhibits(found) if found else (), headlines=headlines(found) if found else (),
            others=[(name(item), item["seeds"]) for item in studies],
        )  # fmt: skip

    return router
