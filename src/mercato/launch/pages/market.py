"""The market of a live token."""

from __future__ import annotations

from fastapi import APIRouter

from mercato.launch.pages.press import Press


def add(router: APIRouter, press: Press) -> None:
    """Adds the page of a token's market."""
