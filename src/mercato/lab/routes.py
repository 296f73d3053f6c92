"""The lab as JSON: the studies of this installation, and one with all its numbers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from mercato.lab.service import Lab, name

__all__ = ["router"]


def router(lab: Lab) -> APIRouter:
    """Returns the routes, to be mounted under `/api/lab`."""
    made = APIRouter()

    @made.get("/studies")
    def studies() -> list[dict[str, Any]]:
        """Lists the studies, those of the most seeds first. Everything in them is simulated."""
        kept = ("config_hash", "seeds", "simulated")
        return [{"id": name(item), **{key: item.get(key) for key in kept}} for item in lab.studies()]

    @made.get("/studies/{study}")
    def study(study: str) -> dict[str, Any]:
        """Returns one study's results: every metric of every mechanism as mean, median and 95 % interval."""
        return lab.study(study)

    return made
