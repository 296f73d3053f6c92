"""Our own count of tokens: exact with the model's tokenizer, otherwise bounded by octets.

A token of text is at least one octet, so the octets of what was delivered are never fewer than its tokens. What is paid
for is the lesser of this bound and the claim. Without a claim, and without a tokenizer, a token is taken as four
octets, in favour of who pays.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mercato.compute.gateway.asking import MEDIA, OCTETS, Asked
from mercato.compute.gateway.checks import FRAME
from mercato.compute.gateway.memory import give_back
from mercato.compute.gateway.tally import Tally
from mercato.compute.model import Surface, Usage
from mercato.core.errors import ConfigError

Tokens = Callable[[str], int]
LONG = 16 * 1024


@dataclass(frozen=True, slots=True)
class Count:
    """What was claimed and what was counted; where nothing was claimed, both are our own count."""

    claimed: Usage
    counted: Usage
    exact: bool


class Counter:
    """Counts answers of all models; `tokenizers` has a function for those whose tokenizer is here."""

    def __init__(self, tokenizers: Mapping[str, Tokens] | None = None) -> None:
        self._tokenizers = dict(tokenizers or {})

    def ahead(self, asked: Asked) -> int | None:
        """Returns the tokens of a request's own text, to be counted while its provider works; None where they are
        counted with the answer's: a long text, or one that nobody here can count."""
        tokens = self._tokenizers.get(asked.need.model)
        if tokens is None or asked.most.prompt >= MEDIA or asked.octets > LONG or len(text := asked.words()) > LONG:
            return None
        return tokens(text)

    async def count(self, asked: Asked, tally: Tally, bound: Usage, ahead: int | None = None) -> Count:
        """Returns the tokens of an answer as far as it was delivered, never more than the request's own bound."""
        tokens = self._tokenizers.get(asked.need.model)
        # Ends of turns and marks around calls, for choices and calls that were asked for: a provider names its own.
        frame = 2 * max(1, min(len(tally.ends), asked.choices))
        frame += FRAME * tally.calls if "tools" in asked.need.features else 0
        read = bound.prompt
        if asked.need.surface is Surface.EMBEDDINGS:
            most, likely, frame = 0, 0, 0
        elif tokens:
            most = likely = await _counted(tokens, tally.text)
        else:
            most, likely = tally.octets, -(-tally.octets // OCTETS)
        if tokens and asked.most.prompt < MEDIA:  # what an image is in tokens, only the model knows
            own = await _counted(tokens, asked.words()) if ahead is None else ahead
            read = min(own + FRAME * (asked.messages + 1), bound.prompt)
        counted = Usage(read, min(most + frame, bound.completion))
        if tally.claimed:
            return Count(tally.claimed, counted, tokens is not None)
        shown = read if tokens else -(-asked.octets // OCTETS)
        guess = Usage(min(shown, bound.prompt), min(likely, bound.completion))
        return Count(guess, guess, tokens is not None)


async def _counted(tokens: Tokens, text: str) -> int:
    """Counts a text; a long one in a thread, so that others' events go on."""
    return await asyncio.to_thread(tokens, text) if len(text) > LONG else tokens(text)


def load(files: Mapping[str, Path]) -> dict[str, Tokens]:
    """Returns a tokenizer for each model whose file is named, one for all models that share a file; ConfigError where
    one cannot be read."""
    read: dict[Path, Tokens] = {}
    for model, path in files.items():
        if path not in read:
            read[path] = _tokenizer(model, path)
    if read:
        give_back()  # of 146 MB that reading a vocabulary of 128,000 words takes, 42 stay in use
    return {model: read[path] for model, path in files.items()}


def _tokenizer(model: str, path: Path) -> Tokens:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise ConfigError(
            f"model {model!r} has a tokenizer file, but the library tokenizers is missing",
            hint="install mercato[compute]",
        ) from None
    try:
        found = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception for every reason
        raise ConfigError(f"tokenizer of {model!r} was not readable: {error}", hint=f"see {path}") from None
    # Without the places of tokens in the text, which nobody asks for. Only a batch can be counted so, and a batch of
    # one is not to be handed to a thread.
    os.putenv("TOKENIZERS_PARALLELISM", "false")
    return lambda text: len(found.encode_batch_fast([text], add_special_tokens=False)[0])
