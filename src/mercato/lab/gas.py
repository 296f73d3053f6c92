"""What people's transactions cost in gas, where the contract is ours: exact, under Cancun rules.

Other makers' contracts are not run here, and their gas is unknown. A test holds the numbers to what the contracts' own
tests measured.
"""

from __future__ import annotations

from collections.abc import Set

from mercato.lab.model import ADVERSARY, Outcome

#: Mechanisms that are our contracts as they are, with nothing but parameters changed.
OURS = frozenset({"lca", "lca-no-retail", "lca-half-retail", "lca-wide-sale", "lca-whole-supply"})
BID, BUY, SELL = 93_084, 87_485, 81_609
CLAIM, CLAIM_WITH_REFUND, CLAIM_OF_LOSER = 62_258, 82_257, 42_732


def people_spent(outcome: Outcome, bidders: Set[int]) -> int | None:
    """Returns the gas of all that people sent, each of `bidders` claiming once; None where it is not known.

    A bid is counted as one on a new level, the dearer kind.
    """
    if outcome.mechanism not in OURS:
        return None
    winners = {who for who, tokens, _, at in outcome.entries if at <= outcome.closed and tokens and who < ADVERSARY}
    claims = sum(
        (CLAIM_WITH_REFUND if who in outcome.refunds else CLAIM) if who in winners else CLAIM_OF_LOSER
        for who in bidders
    )  # fmt: skip
    actions = outcome.actions
    return claims + BID * actions.get("bid", 0) + BUY * actions.get("buy", 0) + SELL * actions.get("sell", 0)
