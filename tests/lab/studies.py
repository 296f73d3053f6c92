"""A study made by hand: three mechanisms, few seeds, numbers that can be averaged on paper."""

from collections.abc import Iterator

from mercato.lab.metrics import measure
from mercato.lab.records import Record
from tests.lab.outcomes import outcome, tape

EXTRACTION = {
    ("lca", "sniper"): 0.001, ("lca", "griefer"): -0.02, ("lca-elastic", "sniper"): 0.0,
    ("pump", "sniper"): 0.08, ("pump", "griefer"): 0.01, ("pump", "placebo"): 0.5,
}  # fmt: skip
FILLED = {"lca": 95.0, "lca-elastic": 80.0, "pump": 100.0}
PROBES = {"probe-early": 11.0, "probe-late": 10.0}
SEEDS = range(5)


def records() -> list[Record]:
    """Every run of the study, by mechanism. Extraction and buyers rise by a thousandth and by one with each seed."""
    return sorted(_records(), key=lambda item: item.mechanism)


def _records() -> Iterator[Record]:
    for mechanism, filled in FILLED.items():
        for seed in SEEDS:
            yield run(mechanism, "none", seed, extraction_of_retail=0.0, buyers_filled=filled + 10, people_gain=90.0)
            yield run(mechanism, "sybil", seed, extraction_of_retail=-0.03, adversary_profit=20.0, raised=500.0)
            yield run(mechanism, "sybil-single", seed, adversary_profit=-5.0, raised=500.0)
            for name, tokens in PROBES.items():
                yield run(mechanism, name, seed, adversary_tokens=tokens * (seed + 1))
    for (mechanism, adversary), taken in EXTRACTION.items():
        for seed in SEEDS:
            filled = FILLED[mechanism] + seed
            yield run(mechanism, adversary, seed, extraction_of_retail=taken + seed / 1000, buyers_filled=filled,
                      people_gain=50.0, adversary_profit=-20.0)  # fmt: skip


def run(mechanism: str, adversary: str, seed: int, **metrics: float) -> Record:
    """One run: the metrics of the run made by hand, but for those given."""
    path = tuple(500_000 + 1000 * (at + seed) for at in range(26))
    prices = tuple(400_000 + 10_000 * at for at in range(21))
    return Record(mechanism, adversary, {"size_bps": 2}, seed, {**measure(outcome(), tape()), **metrics}, path, prices)
