"""Trust from engagement: personalised PageRank on engager -> author edges, seeded from independent evidence (M11)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DAMPING = 0.85
TOLERANCE, ROUNDS = 1e-10, 200
CEILING = 99.0  # percentile of positive trust at which it is winsorised
MOST_COUNTED = 3  # engagements of one account with one author that can add weight

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Graph:
    """Engagement edges by place in `accounts`: `engager[i]` engaged with `author[i]`, `count[i]` times."""

    accounts: tuple[str, ...]
    engager: Places
    author: Places
    count: Places


def graph(engagers: pa.Array, authors: pa.Array, counts: pa.Array) -> Graph:
    """Returns the graph of edges given as columns of one length; any order of the edges gives the same graph."""
    both = pa.concat_arrays([_flat(engagers), _flat(authors)]).dictionary_encode()
    names = both.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    places = rank[both.indices.to_numpy()] if names else np.zeros(0, np.int64)
    engager, author = places[: len(engagers)], places[len(engagers) :]
    count = _flat(counts).to_numpy(zero_copy_only=False).astype(np.int64)
    sort = np.lexsort((count, author, engager))
    return Graph(tuple(names[at] for at in order), engager[sort], author[sort], count[sort])


def _flat(column: pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def pagerank(edges: Graph, seeds: Collection[str]) -> Floats:
    """Returns the trust of each account, adding up to 1.

    A walk starts at the seeds, follows engagements with weight sqrt(min(count, 3)), and returns to the seeds with
    probability 0.15 and wherever an account engages with nobody. Accounts that no seed reaches get exactly 0. With no
    seed among the accounts it starts anywhere, which sybils can exploit.
    """
    from scipy import sparse

    size = len(edges.accounts)
    if not size:
        return np.zeros(0)
    weight = np.sqrt(np.minimum(edges.count, MOST_COUNTED).astype(np.float64))
    given = np.bincount(edges.engager, weights=weight, minlength=size)
    share = weight / given[edges.engager]
    flow = sparse.csr_array((share, (edges.author, edges.engager)), shape=(size, size))
    start = np.array([name in seeds for name in edges.accounts], dtype=np.float64)
    start = start / start.sum() if start.any() else np.full(size, 1 / size)
    dangling = given == 0
    trust = start.copy()
    for _ in range(ROUNDS):
        after = DAMPING * (flow @ trust + trust[dangling].sum() * start) + (1 - DAMPING) * start
        moved = float(np.abs(after - trust).sum())
        trust = after
        if moved < TOLERANCE:
            break
    return trust


def winsorised(trust: Floats) -> Floats:
    """Returns trust with everything above the 99th percentile of the positive values pulled down to it."""
    positive = trust[trust > 0]
    return np.minimum(trust, np.percentile(positive, CEILING)) if positive.size else trust
