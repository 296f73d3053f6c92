"""A run made by hand, whose every metric can be worked out on paper."""

from mercato.lab.model import ADVERSARY, DOLLAR, HOUR, Economy, Outcome, Reserves, Tape

SUPPLY = 10**27
T = 24 * HOUR
M = 10**24  # a million tokens
ECONOMY = Economy(low=1_000_000 * DOLLAR, high=4_000_000 * DOLLAR)


def tape(people: int = 4) -> Tape:
    """Four people with $1,000 each, who value the supply at $2M, $2M, $3M and $4M; the common value is $2M."""
    values = tuple(value * 1_000_000 * DOLLAR for value in (2, 2, 3, 4))[:people]
    return Tape(
        seed=7, value=2_000_000 * DOLLAR, economy=ECONOMY, arrives=(0,) * people, values=values,
        budgets=(1000 * DOLLAR,) * people, delays=(0,) * people, checks=((),) * people, market=(False,) * people,
        verified=(True,) * people, exits=(-1,) * people, momentum=(0,) * people,
    )  # fmt: skip


def outcome(**changes: object) -> Outcome:
    """Two people and the bot (by two accounts) buy before T, one person after it; the bot sells to that one.

    Two dollars for a million tokens is a valuation of $2,000 for the whole supply of a billion.
    """
    facts: dict[str, object] = {
        "mechanism": "by-hand", "adversary": "sniper", "seed": 7,
        "entries": (
            (ADVERSARY, 100 * M, 100 * DOLLAR, 10), (ADVERSARY + 1, 100 * M, 100 * DOLLAR, 10),
            (0, 100 * M, 200 * DOLLAR, 20), (1, 50 * M, 200 * DOLLAR, T), (2, 50 * M, 300 * DOLLAR, T + 1),
        ),
        "exits": ((ADVERSARY, 200 * M, 250 * DOLLAR, T + 2),),
        "path": (10**9, 2 * 10**9), "opened": 0, "closed": T,
        "depths": (Reserves(T, 400 * DOLLAR, 100 * M), Reserves(T + HOUR, 500 * DOLLAR, 100 * M),
                   Reserves(2 * T, 200 * DOLLAR, 100 * M)),
        "impacts": ((2000 * DOLLAR, 200 * M), (4000 * DOLLAR, 250 * M)),
        "tokens": {0: 100 * M, 1: 50 * M, 2: 50 * M, ADVERSARY: 0},
        "charged": {ADVERSARY: 100 * DOLLAR, ADVERSARY + 1: 100 * DOLLAR, 0: 200 * DOLLAR, 1: 200 * DOLLAR,
                    2: 300 * DOLLAR},
        "received": {ADVERSARY: 250 * DOLLAR}, "fees": {"protocol": 10 * DOLLAR, "lp": 13 * DOLLAR},
        "raised": 500 * DOLLAR, "failed": False, "costs": 15 * DOLLAR, "rent": 7 * DOLLAR,
        "actions": {"buy": 4, "sell": 2, "adversary-buy": 9},
    }  # fmt: skip
    return Outcome(**{**facts, **changes})  # type: ignore[arg-type] # a test may change any field
