"""A reference that tells last hidden states, by which commitments to them are opened.

It asks an engine as vLLM is with `--runner pooling`: `/tokenize` for the tokens of question and answer, then `/pooling`
with the task `token_embed` for the states of all of them in one prefill, without an activation, as bfloat16. The shape
of what it says is checked, and it decides no more than whether the commitments are of that model on that text.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Line
from mercato.compute.model import ProviderId
from mercato.compute.verify.checker import forms, heard
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.match import MOST
from mercato.compute.verify.toploc import STRETCH, Opened, opened

LONGEST = 2_048  # tokens of question and answer together
WIDEST = 96 << 20  # octets of an answer: so many states of 16,384 numbers in base64
LOOKED = MOST // STRETCH  # stretches of one answer that are looked at


class States:
    """A trusted engine behind a line to its root, not to `/v1`. `models` are its names for ours."""

    def __init__(self, name: str, provider: ProviderId, line: Line, models: Mapping[str, str]) -> None:
        self.name, self.provider, self._line, self._models = name, provider, line, dict(models)

    async def check(self, exhibit: Exhibit, model: str) -> Opened | None:
        """Returns what becomes of an answer's commitments; None where none were promised, where it cannot read such a
        question, or where nobody can tell at which token the answer begins."""
        read = forms(exhibit)
        if exhibit.proofs is None or read is None or model not in self._models:
            return None
        before, whole = [await self._tokens({"model": self._models[model], **form}) for form in read]
        if not before or not whole or len(whole) > LONGEST or whole[: len(before)] != before:
            return None
        count = min(LOOKED, (len(whole) - len(before) - 1) // STRETCH)
        seen = whole[: len(before) + max(0, count) * STRETCH]
        raw = await self._states(seen, self._models[model])
        return await asyncio.to_thread(_opened, raw, len(seen), len(before), exhibit.proofs, self.name)

    async def _tokens(self, body: Mapping[str, Any]) -> list[int] | None:
        raw = await heard(self._line, "/tokenize", body, self.name, most=WIDEST)
        try:
            found = None if raw is None else json.loads(raw)["tokens"]
        except (ValueError, KeyError, TypeError, RecursionError):
            found = ()
        if found is not None and not (isinstance(found, list) and all(isinstance(it, int) for it in found)):
            raise Unreached("protocol", f"reference {self.name!r} told no tokens", hint="it must serve /tokenize")
        return found

    async def _states(self, tokens: Sequence[int], model: str) -> bytes:
        about = {
            "model": model, "task": "token_embed", "input": list(tokens), "use_activation": False,
            "encoding_format": "base64", "embed_dtype": "bfloat16", "endianness": "little",
        }  # fmt: skip
        raw = await heard(self._line, "/pooling", about, self.name, most=WIDEST)
        try:
            return base64.b64decode(json.loads(raw or b"")["data"][0]["data"], validate=True)
        except (ValueError, KeyError, IndexError, TypeError, RecursionError, binascii.Error):
            hint = "it must serve /pooling with the task token_embed, as vLLM does with --runner pooling"
            raise Unreached("protocol", f"reference {self.name!r} told no states", hint=hint) from None


def _opened(raw: bytes, tokens: int, prompt: int, proofs: Sequence[object], name: str) -> Opened:
    import numpy as np  # only where commitments are opened, as it takes 20 MB of a worker

    from mercato.compute.verify.activations import stretches

    try:
        states = np.frombuffer(raw, "<u2").reshape(tokens, -1)
        found = stretches(states, prompt, LOOKED)
    except ValueError:
        raise Unreached("protocol", f"reference {name!r} told {len(raw)} octets for {tokens} tokens") from None
    return opened(proofs, found)
