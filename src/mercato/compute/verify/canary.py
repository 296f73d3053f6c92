"""Questions that the gateway asks as a user, so that every provider is judged, also where nobody asks at temperature 0.

They go the way of all requests, with a key of their own, and are paid for; nothing in them says what they are. Each
second of an hour, a draw under the hour's secret decides for every provider whether it is asked, and which question:
nobody can foresee it, whoever has the revealed secret can compute it again, and any number of workers ask only once.
Questions are fresh ones, which the reference judges as any other, or such whose answer is known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

from mercato.compute.verify.known import Canary
from mercato.compute.verify.sampling import Secret, chosen

HOUR = 3600
SUBJECTS = (
    "a lighthouse", "a market in a small town", "how bread is baked", "the tides", "an old bridge", "learning to swim",
    "a library at night", "bees", "a train that is late", "how glass is made", "a garden in winter", "a chess game",
    "the first bicycle", "a river after rain", "maps", "sleep", "a harbour", "rust", "how clocks work", "a lost letter",
)  # fmt: skip
WAYS = (
    "Tell me about {0}, in the way of {1}.", "Compare {0} with {1}.", "Write a short scene about {0} and {1}.",
    "What would somebody who loves {0} say about {1}?", "Explain {0} to a child, then {1}.",
    "List things that {0} and {1} have in common.",
)  # fmt: skip
LENGTHS = (64, 96, 128, 160)
HEATS = (0.3, 0.5, 0.7, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Draw:
    """That a provider is asked something about a model now; all that is left to chance follows from `seed`."""

    provider: str
    model: str
    seed: str

    def rng(self) -> Random:
        """Returns what the question is drawn with: the same for the same draw."""
        return Random(self.seed)


def due(secret: Secret, pairs: Sequence[tuple[str, str]], start: int, end: int, hourly: int) -> Iterator[Draw]:
    """Yields whom to ask, of pairs of provider and model, in seconds from `start` up to before `end` of the secret's
    epoch, each about so often in an hour."""
    for second in range(max(start, secret.epoch * HOUR), min(end, (secret.epoch + 1) * HOUR)):
        for provider, model in pairs:
            name = f"canary {second} {provider} {model}"
            if chosen(secret, name, hourly / HOUR):
                yield Draw(provider, model, sha256(secret.value + name.encode()).hexdigest())


def asked(draw: Draw, known: Sequence[Canary], *, judged: bool = True, synced: bool = False) -> dict[str, Any] | None:
    """Returns the body of what is asked, or None where there is nothing to ask.

    Half are of the known ones where a reference has `judged` for the other half; all where there is none. A provider
    that draws as `synced` says is asked at higher temperatures too, with a seed.
    """
    rng = draw.rng()
    if known and (not judged or rng.random() < 0.5):
        return _body(draw, rng, rng.choice(known))
    return question(rng, draw.model, draw.provider, synced=synced) if judged else None


def question(rng: Random, model: str, provider: str, *, synced: bool = False) -> dict[str, Any]:
    """Returns the body of a request that only one provider may answer, by its name, and that is always audited."""
    first, second = rng.sample(SUBJECTS, 2)
    text = rng.choice(WAYS).format(first, second)
    if rng.random() < 0.5:
        text += f" Use at most {rng.randrange(40, 120)} words."
    warm = synced and rng.random() < 0.5
    heat = {"temperature": rng.choice(HEATS), "seed": rng.randrange(1 << 31)} if warm else {"temperature": 0}
    return {
        "model": model, "messages": [{"role": "user", "content": text}], **heat, "max_tokens": rng.choice(LENGTHS),
        **_way(rng, provider),
    }  # fmt: skip


def _body(draw: Draw, rng: Random, canary: Canary) -> dict[str, Any]:
    return {
        "model": draw.model, "messages": list(canary.messages), "temperature": 0, "max_tokens": canary.max_tokens,
        **_way(rng, draw.provider),
    }  # fmt: skip


def _way(rng: Random, provider: str) -> dict[str, Any]:
    """Members that say how to answer; what stands in `provider` is for the gateway, which hands none of it on."""
    return {"stream": rng.random() < 0.5, "provider": {"only": [provider], "verify": "always"}}
