"""A made-up market to try the room with: fictional agents, seeded prices, no network. Everything in it is simulated.

The files have the same shapes as a user's own imports, so that they double as templates.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

CHAINS = ("eip155:8453", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "eip155:1")
PLATFORMS = ("example-launchpad", "example-forge", "")
NAMES = (
    "Courtside",
    "Ledgerling",
    "Night Owl",
    "Greenhouse",
    "Quorum",
    "Tidewatch",
    "Marginalia",
    "Sparrow",
    "Copperline",
    "Atlas Desk",
    "Fieldnotes",
    "Parallax",
)
#: Words of each narrative, so that the labels of the made-up posts come from the same classifier as real ones.
POSTS = {
    "ai": "our agents run on open AI models, machine learning inference and training are done in public",
    "defi": "liquidity pools and lending yields in decentralized finance, stablecoin vault with borrow and swap",
    "defai": "an AI agent manages DeFi positions on its own: agents rebalance liquidity pools and lending vaults",
}


@dataclass(frozen=True, slots=True)
class Agent:
    """One fictional token."""

    asset_id: str
    symbol: str
    name: str
    sector: str
    home_chain: str
    platform: str
    price: float
    supply: int
    listed: int


def agents(seed: int = 7) -> list[Agent]:
    """Returns the fictional tokens; three of four are agents, the rest infrastructure."""
    draw = random.Random(seed)
    found = []
    for number, name in enumerate(NAMES):
        infrastructure = number % 4 == 3
        found.append(
            Agent(
                asset_id="sim:" + name.lower().replace(" ", "-"),
                symbol="X" + "".join(letter for letter in name.upper() if letter not in "AEIOU ")[:4],
                name=f"{name} (made up)",
                sector="ai-infrastructure" if infrastructure else "ai-agents",
                home_chain=CHAINS[number % len(CHAINS)],
                platform="" if infrastructure else PLATFORMS[number % len(PLATFORMS)],
                price=round(math.exp(draw.gauss(-1.5, 1.2)), 6),
                supply=draw.choice((10, 100, 500, 1000)) * 1_000_000,
                listed=0 if number < 9 else 20 * (number - 8),
            )
        )
    return found


def assets_toml(seed: int = 7) -> str:
    """Returns the `--assets` file of the example."""
    keys = ("asset_id", "symbol", "name", "sector", "home_chain", "platform")
    parts = ["# Made-up assets: none of them exists.\n"]
    for agent in agents(seed):
        lines = [f"{key} = {json.dumps(getattr(agent, key))}" for key in keys]
        parts.append("\n".join(["[[asset]]", *lines, 'kind = "token"', 'wraps = ""']) + "\n")
    return "\n".join(parts)


def history_csv(until: date, days: int = 180, seed: int = 7) -> Iterator[str]:
    """Yields the lines of a canonical history of `days` days ending on `until`: prices, supplies, volumes, builders.

    One common factor moves all prices, so that there is a sector to watch; each token adds noise of its own.
    """
    yield "asset_id,field,valid_time,value\n"
    market = random.Random(seed)
    common = [market.gauss(0.002 * math.sin(day / 25), 0.035) for day in range(days)]
    for agent in agents(seed):
        draw = random.Random(f"{seed}/{agent.asset_id}")
        price, supply = agent.price, agent.supply
        for day in range(agent.listed, days):
            price *= math.exp(common[day] + draw.gauss(0, 0.03))
            supply += supply // 4000 if day % 30 == 0 else 0
            when = (until - timedelta(days=days - 1 - day)).isoformat()
            volume = price * supply * math.exp(draw.gauss(-3.5, 0.4))
            yield f"{agent.asset_id},price_usd,{when},{price:.8f}\n"
            yield f"{agent.asset_id},supply_circulating,{when},{supply}\n"
            yield f"{agent.asset_id},volume_usd_24h,{when},{volume:.2f}\n"
            yield f"{agent.asset_id},commits,{when},{draw.randrange(0, 9)}\n"


def documents_jsonl(until: date, days: int = 28, seed: int = 7) -> Iterator[str]:
    """Yields made-up posts, one JSON object a line, in the shape of `mercato market documents import`."""
    draw = random.Random(seed)
    people = [f"example-author-{number}" for number in range(40)]
    topics = list(POSTS)
    for number in range(days * 12):
        day = until - timedelta(days=draw.randrange(days))
        at = datetime.combine(day, time(hour=draw.randrange(24), minute=draw.randrange(60)), UTC)
        fans = draw.sample(people, draw.randrange(1, 6))
        post = {
            "id": f"example-{number}",
            "author": draw.choice(people),
            "created_at": at.isoformat(),
            "text": f"{POSTS[draw.choices(topics, (5, 3, 2))[0]]} #{number}",
            "likes": len(fans),
            "engagers": [{"id": fan, "count": 1, "at": at.isoformat()} for fan in fans],
        }
        yield json.dumps(post) + "\n"
