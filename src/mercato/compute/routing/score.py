"""The score of an offer: what a good answer costs in expectation, with what waiting and bad answers cost besides.

score = E[cost] / P(good) * (1 + second * latency + harm * P(bad)), the lower the better. Without the two last terms it
is the price of asking until an answer is good; but nobody sees at once that an answer is bad, and a cut one was waited
for. Seconds and harm are worth shares of the answer's own price, so the score has the unit of a price: another currency
changes no ratio of scores. No other offer's price enters, so routing is monotone: who raises a price gets no larger
share.
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
    return cost(offer, need, rules) / good * (1 + rules.second * waited + rules.harm * (1 - good))
