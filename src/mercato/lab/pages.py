"""The lab's pages: the study with the most seeds, or one by its name. What they show is simulated, and they say so."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

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

    def shown(found: dict[str, Any] | None, studies: list[dict[str, Any]]) -> HTMLResponse:
        return render(
            "lab/study.html", found=found, notice=SIMULATED, name=name(found) if found else "",
            exhibits=exhibits(found) if found else (), headlines=headlines(found) if found else (),
            others=[(name(item), item["seeds"]) for item in studies],
        )  # fmt: skip

    return router
