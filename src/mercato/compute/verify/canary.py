"""Questions that the gateway asks as a user, so that every provider is judged, also where nobody asks at temperature 0.

They go the way of all requests, with a key of their own, and are paid for; nothing in them says what they are. Each is
new, so that no remembered answer helps, and the reference judges the answer as any other: no answers are kept ready.
"""

from __future__ import annotations

from random import Random
from typing import Any

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


def question(rng: Random, model: str, provider: str) -> dict[str, Any]:
    """Returns the body of a request that only one provider may answer, by its name, and that is always audited."""
    first, second = rng.sample(SUBJECTS, 2)
    text = rng.choice(WAYS).format(first, second)
    if rng.random() < 0.5:
        text += f" Use at most {rng.randrange(40, 120)} words."
    return {
        "model": model, "messages": [{"role": "user", "content": text}], "temperature": 0,
        "max_tokens": rng.choice(LENGTHS), "stream": rng.random() < 0.5,
        "provider": {"only": [provider], "verify": "always"},
    }  # fmt: skip
