"""What any room may ask of a request: who is signed in, and which fields its form has."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from mercato.core.errors import InvalidInput

FEW = 20


def account(request: Request) -> str:
    """Returns the lower-case address that is signed in, or ""."""
    return str(getattr(request.state, "account", ""))


async def form(request: Request) -> dict[str, str]:
    """Returns the fields of a small form, the last of each name; InvalidInput where these are too many."""
    return dict(await fields(request, FEW))


async def fields(request: Request, most: int) -> list[tuple[str, str]]:
    """Returns the fields of a form in their order, empty ones too; InvalidInput where there are more than `most`."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qsl(body, keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise InvalidInput(f"form had more than {most} fields", hint="send fewer") from None
