"""The score of an offer: what a good answer costs in expectation, and what waiting for it is worth.

score = E[cost] / P(good) * (1 + second * latency), the lower the better. A second is worth a share of the answer's own
price, so the score has the unit of a price: another currency changes no ratio of scores. A factor that another
offer's price does not enter keeps routing monotone: who raises a price gets no larger share.
"""

from __future__ import annotations

from mercato.compute.model import Need, Offer
from mercato.compute.routing.health import Health
from mercato.compute.routing.rules import Rules

FREE = 1  # what costs nothing counts as this, so that free offers differ by quality and speed


def cost(offer: Offer, need: Need, rules: Rules) -> int:
    """Returns the expected cost in millionths of a micro-dollar: the prompt, and a typical answer within its bound."""
    written = min(need.completion, rules.typical_tokens)
    return max(FREE, need.prompt * offer.price.prompt + written * offer.price.completion)


def score(offer: Offer, health: Health, need: Need, rules: Rules) -> float:
    """Returns the score of an offer for a need, load aside."""
    waited = health.seconds(min(need.completion, rules.typical_tokens))
    good = health.success() * health.quality()
    return cost(offer, need, rules) / good * (1 + rules.second * waited)
