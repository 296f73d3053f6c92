"""What a client can read of audits: that of its own request, and the commitments and secrets of all draws."""

from __future__ import annotations

import asyncio
from typing import Any

from mercato.compute import audits
from mercato.compute.audits import Audit
from mercato.compute.books.desk import Desk
from mercato.compute.books.keys import Key
from mercato.compute.gateway import answers
from mercato.compute.gateway.asgi import View
from mercato.compute.gateway.client import Client
from mercato.core.errors import NotFound
from mercato.store.bare import Bare

LATEST = 200


def verdicts(url: str, desk: Desk) -> dict[str, View]:
    """Returns what can be read by paths, or their starts."""

    async def audit(client: Client, key: Key, path: str) -> None:
        name = path.removeprefix("/v1/audit/")
        made = await desk.receipt(name)
        found = await asyncio.to_thread(_audit, url, name) if made is not None and made.key == key.id else None
        if found is None:
            raise NotFound(f"request was {name[:100]!r}, of which no audit was wanted", hint="x-request-id names it")
        await answers.say(client, 200, _shown(found))

    async def draws(client: Client, key: Key, path: str) -> None:
        await answers.say(client, 200, {"object": "list", "data": await asyncio.to_thread(_epochs, url)})

    return {"/v1/audit/": audit, "/v1/audits": draws}


def _audit(url: str, request: str) -> Audit | None:
    with Bare(url) as bare:
        return audits.of(bare, request)


def _epochs(url: str) -> list[dict[str, Any]]:
    with Bare(url) as bare:
        found = audits.published(bare)[-LATEST:]
    return [
        {"object": "audit_epoch", "epoch": number, "commitment": commitment, "secret": public or None}
        for number, commitment, public in found
    ]


def _shown(audit: Audit) -> dict[str, Any]:
    return {
        "object": "audit", "id": audit.id or None, "request": audit.request, "provider": audit.provider,
        "model": audit.model, "asked": audit.asked.isoformat(), "verdict": audit.verdict or "waiting",
        "method": audit.method or None, "statistic": dict(audit.statistic), "checker": audit.checker or None,
        "judged": audit.judged and audit.judged.isoformat(),
    }  # fmt: skip
