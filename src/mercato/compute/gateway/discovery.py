"""Finds out which models an endpoint serves, for an upstream that is named on the command line and nowhere else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Patience
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.settings import MODEL, ComputeSettings, Listed, Upstream
from mercato.core.errors import SourceError
from mercato.core.settings import Secret, Settings
from mercato.store.settings import StoreSettings

MOST = 4 << 20
CONTEXT = 8192
#: Nothing is kept from an endpoint that says nothing of what its models can do: it refuses by itself.
FEATURES = frozenset({"tools", "json_schema", "logprobs", "embeddings", "vision", "audio", "files", "video"})
_CONTEXTS = ("max_model_len", "context_length", "context_window", "n_ctx")


def with_endpoint(settings: Settings, url: str) -> Settings:
    """Returns the settings with one more upstream, `endpoint`, and with one worker."""
    found = asyncio.run(discover(url, Secret("")))
    wanted = settings.of(ComputeSettings)
    changed = wanted.model_copy(update={"upstreams": {**wanted.upstreams, "endpoint": found}, "workers": 1})
    return Settings(settings.home, {StoreSettings: settings.of(StoreSettings), ComputeSettings: changed})


async def discover(url: str, key: Secret) -> Upstream:
    """Returns an endpoint as an upstream whose models cost nothing; SourceError where it does not list any."""
    async with Connections(private=True) as connections:
        line = HttpLine(url, key, connections=connections, most=MOST)
        try:
            reply = await line.open("/models", b"", {}, deadline=Patience(connect=5, first=10, idle=10, total=20))
            raw = b"".join([chunk async for chunk in reply.chunks()])
            await reply.close()
        except Unreached as error:
            raise _nothing(url, error.message) from None
    try:
        body = json.loads(raw)
    except ValueError:
        raise _nothing(url, f"answered {reply.status} with what is no JSON") from None
    found = {one["id"]: one for one in _listed(body) if isinstance(one.get("id"), str) and MODEL.fullmatch(one["id"])}
    if reply.status != 200 or not found:
        raise _nothing(url, f"answered {reply.status}, without models")
    models = {name: Listed(prompt=0, context=_context(one), features=FEATURES) for name, one in found.items()}
    return Upstream(url=url, key=key, private=True, models=models)


def _listed(body: Any) -> list[dict[str, Any]]:
    data = body.get("data") if isinstance(body, dict) else None
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _context(model: dict[str, Any]) -> int:
    meta = model.get("meta")
    places = [model, meta] if isinstance(meta, dict) else [model]
    found = [place.get(name) for place in places for name in (*_CONTEXTS, "n_ctx_train")]
    return next((one for one in found if isinstance(one, int) and not isinstance(one, bool) and one > 0), CONTEXT)


def _nothing(url: str, why: str) -> SourceError:
    return SourceError(f"upstream {url!r} listed no models: {why}", hint="give its address up to and with /v1")
