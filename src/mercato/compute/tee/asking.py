"""Asks for a report, within bounds."""

from __future__ import annotations

from mercato.compute.errors import Unproven, Unreached
from mercato.compute.gateway.line import Line, Patience, whole
from mercato.compute.tee.report import MOST

PATIENCE = Patience(connect=5, first=60, idle=15, total=90)  # eight accelerators take a while to show themselves


async def fetched(line: Line, path: str, patience: Patience, most: int = MOST) -> tuple[int, bytes]:
    """Returns status and body of what a provider answers; Unproven where that is too much, Unreached where it cannot
    answer now."""
    reply = await line.open(path, b"", {"accept": "application/json"}, deadline=patience)
    raw = await whole(reply, most, Unproven(f"report had more than {most} octets", hint="it is not read further"))
    if reply.status >= 500 or reply.status == 429:
        raise Unreached(str(reply.status), f"provider answered with status {reply.status}")
    return reply.status, raw
