"""A study small enough to run whole in a test: the registered one with few people, mechanisms and seeds."""

from mercato.lab.model import Tape
from mercato.lab.study import Study, parse, raw
from mercato.lab.tape import draw

CHANGES = {
    "mechanisms = []": 'mechanisms = ["pump", "lca"]',
    "adversaries = []": 'adversaries = ["none", "probe-early", "latency-sniper", "sybil", "sybil-single"]',
    "seeds = 200": "seeds = 3",
    "block = 20": "block = 2",
    "seeds = 8": "seeds = 2",
    "immigrants = 300": "immigrants = 25",
}


def content() -> bytes:
    """The file of the small study."""
    text = raw().decode()
    for old, new in CHANGES.items():
        assert text.count(f"\n{old}") == 1, old
        text = text.replace(f"\n{old}", f"\n{new}")
    return text.encode()


def study() -> Study:
    """The small study."""
    return parse(content())


def tape(seed: int = 1) -> Tape:
    """The order flow of a seed of the small study."""
    small = study()
    return draw(seed, small.people, small.value)
