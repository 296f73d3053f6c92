"""A seeded, simulated attack on mindshare: honest accounts, sybils that push one narrative, engagement that was bought.

The shape is one attack: every sybil posts about one narrative and engages with other sybils; some honest accounts
were paid to engage with sybils; sybils also engage with well-known honest accounts, to look alive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mercato.market.metrics.kernels.pagerank import Graph, graph, pagerank, winsorised

NARRATIVES, PUSHED = 10, 0


@dataclass(frozen=True)
class World:
    """Documents by author and narrative, engagements by document and engager, and the true share pushed."""

    honest: int
    accounts: int
    author: np.ndarray
    narrative: np.ndarray
    document: np.ndarray
    engager: np.ndarray
    truth: float


def world(honest=20_000, sybils=3_000, bought=3_000, seed=7) -> World:
    rng = np.random.default_rng(seed)
    accounts = honest + sybils
    fame = rng.pareto(1.2, honest) + 0.05
    fame /= fame.sum()
    posts = rng.choice(honest, size=3 * honest, p=0.5 * fame + 0.5 / honest)
    mix = np.full(NARRATIVES, (1 - 0.093) / (NARRATIVES - 1))
    mix[PUSHED] = 0.093
    topics = rng.choice(NARRATIVES, size=len(posts), p=mix)
    spam = np.repeat(np.arange(honest, accounts), 8)
    author = np.concatenate([posts, spam])
    narrative = np.concatenate([topics, np.full(len(spam), PUSHED)])
    worth = fame[posts]
    read = rng.choice(len(posts), size=30 * honest, p=worth / worth.sum())
    readers = rng.choice(honest, size=30 * honest, p=0.3 * fame + 0.7 / honest)
    ring = rng.integers(len(posts), len(author), size=60 * sybils)
    pushers = rng.integers(honest, accounts, size=60 * sybils)
    flattered = rng.choice(len(posts), size=10 * sybils, p=worth / worth.sum())
    flatterers = rng.integers(honest, accounts, size=10 * sybils)
    sold = rng.integers(len(posts), len(author), size=bought)
    sellers = rng.choice(honest, size=bought)
    document = np.concatenate([read, ring, flattered, sold])
    engager = np.concatenate([readers, pushers, flatterers, sellers])
    pairs = np.unique(np.stack([document, engager], axis=1)[author[document] != engager], axis=0)
    truth = np.bincount(topics[pairs[pairs[:, 1] < honest][:, 0][pairs[pairs[:, 1] < honest][:, 0] < len(posts)]],
                        minlength=NARRATIVES)  # fmt: skip
    return World(honest, accounts, author, narrative, pairs[:, 0], pairs[:, 1], float(truth[PUSHED] / truth.sum()))


def graph_of(found: World) -> Graph:
    pairs, count = np.unique(
        np.stack([found.engager, found.author[found.document]], axis=1), axis=0, return_counts=True
    )
    names = np.array([f"{at:06d}" for at in range(found.accounts)], dtype=object)
    return graph(pa.array(names[pairs[:, 0]]), pa.array(names[pairs[:, 1]]), pa.array(count))


def trust(found: World, seeds: set[int]) -> np.ndarray:
    edges = graph_of(found)
    worth = np.zeros(found.accounts)
    worth[np.array([int(name) for name in edges.accounts])] = winsorised(
        pagerank(edges, {f"{seed:06d}" for seed in seeds})
    )
    return worth


def seeds(found: World, count=400, bad=0, seed=11) -> set[int]:
    """The most engaged-with honest accounts of which half is drawn, and some sybils that slipped in."""
    rng = np.random.default_rng(seed)
    known = np.bincount(found.author[found.document], minlength=found.accounts)[: found.honest]
    good = rng.permutation(np.argsort(-known, kind="stable")[: 2 * count])[: count - bad]
    return {*good.tolist(), *rng.integers(found.honest, found.accounts, bad).tolist()}


def share(found: World, value: np.ndarray) -> float:
    """The share of the pushed narrative when documents are worth `value`."""
    return float(value[found.narrative == PUSHED].sum() / value.sum())


def by_trust(found: World, worth: np.ndarray) -> np.ndarray:
    return np.bincount(found.document, weights=worth[found.engager], minlength=len(found.author))


def readings(found: World) -> dict[str, float]:
    """The share of the pushed narrative under each way of counting."""
    engaged = np.bincount(found.document, minlength=len(found.author)).astype(float)
    seeded = by_trust(found, trust(found, seeds(found)))
    by_author = np.bincount(found.author, weights=seeded, minlength=found.accounts)
    capped = seeded / np.sqrt(np.maximum(by_author, 1e-18))[found.author]
    per_author = np.bincount(found.author, weights=engaged, minlength=found.accounts)
    logged = engaged * (np.log1p(per_author) / np.maximum(per_author, 1))[found.author]
    return {
        "mentions": share(found, np.ones(len(found.author))),
        "engagement sum": share(found, engaged),
        "sqrt unique engagers": share(found, np.sqrt(engaged)),
        "per-author log cap": share(found, logged),
        "uniform PageRank": share(found, by_trust(found, trust(found, set()))),
        "seeded": share(found, seeded),
        "seeded, per-author sqrt": share(found, capped),
        "seeded, 5 of 400 bad": share(found, by_trust(found, trust(found, seeds(found, bad=5)))),
    }
