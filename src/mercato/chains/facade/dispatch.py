"""JSON-RPC 2.0: a text with one request or a batch becomes a text with the answers, whatever the text is."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence

from mercato.chains.facade import faults
from mercato.chains.facade.faults import Fault
from mercato.core.errors import MercatoError

Method = Callable[[Sequence[object]], object]
log = logging.getLogger("mercato.chains")


Turn = Callable[[MercatoError], Fault]


def answer(text: str | bytes, methods: Mapping[str, Method], batch: int, of: Turn = faults.of) -> str | None:
    """Returns the answer as JSON text, None where only notifications came. At most `batch` requests at once.

    `of` turns our errors into what a client is told.
    """
    try:
        asked = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _text(_wrong(None, Fault(faults.PARSE, "parse error")))
    if not isinstance(asked, list):
        one = _one(asked, methods, of)
        return None if one is None else _text(one)
    if not asked:
        return _text(_wrong(None, Fault(faults.REQUEST, "empty batch")))
    if len(asked) > batch:
        return _text(_wrong(None, Fault(faults.LIMIT, f"batch of {len(asked)} is too large, at most {batch}")))
    found = [one for one in (_one(item, methods, of) for item in asked) if one is not None]
    return _text(found) if found else None


def _one(asked: object, methods: Mapping[str, Method], of: Turn) -> dict[str, object] | None:
    if not isinstance(asked, dict) or asked.get("jsonrpc") != "2.0" or not isinstance(asked.get("method"), str):
        return _wrong(None, Fault(faults.REQUEST, "invalid request"))
    id = asked.get("id")
    if isinstance(id, dict | list | bool):
        return _wrong(None, Fault(faults.REQUEST, "invalid request: the id is no text or number"))
    try:
        result = _call(asked["method"], asked.get("params"), methods, of)
    except Fault as fault:
        return _wrong(id, fault) if "id" in asked else None
    return {"jsonrpc": "2.0", "id": id, "result": result} if "id" in asked else None


def _call(name: str, given: object, methods: Mapping[str, Method], of: Turn) -> object:
    params = [] if given is None else given
    if not isinstance(params, list):
        raise Fault(faults.PARAMS, "non-array args")
    if name not in methods:
        raise Fault(faults.METHOD, f"the method {name[:80]} does not exist/is not available")
    try:
        return methods[name](params)
    except MercatoError as error:
        raise of(error) from error
    except Fault:
        raise
    except Exception as error:  # a client is answered, and the log tells us what was wrong
        log.exception("JSON-RPC method %s failed", name)
        raise Fault(faults.INTERNAL, "internal error") from error


def _wrong(id: object, fault: Fault) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": id, "error": fault.body()}


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _refuse(name: str) -> None:
    raise ValueError(name)
