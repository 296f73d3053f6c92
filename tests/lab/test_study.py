import json
from hashlib import sha256
from pathlib import Path

import pytest

from mercato.core.errors import InvalidInput
from mercato.lab.adversaries import ADVERSARIES
from mercato.lab.service import REGISTERED
from mercato.lab.study import load, parse, raw
from tests.lab import small


def test_the_hash_of_a_study_is_that_of_its_file() -> None:
    assert load().digest == sha256(raw()).hexdigest()


def test_every_attack_may_try_as_much_as_every_other() -> None:
    study = load()

    assert set(study.attacks) == set(ADVERSARIES)
    assert {len(grid) for grid in study.attacks.values()} == {study.search.points}
    assert all(len({tuple(point.items()) for point in grid}) == len(grid) for grid in study.attacks.values())


def test_the_registered_study_scores_two_hundred_seeds_that_train_nothing() -> None:
    study = load()
    training = range(study.search.first_seed, study.search.first_seed + study.search.seeds)

    assert study.seeds >= 200
    assert not set(training) & set(range(study.first_seed, study.first_seed + study.seeds))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seeds = 200", "", "seeds"),
        ("seeds = 200", "seeds = 200\nhorizon = 3", "horizon"),
        ("seeds = 200", "seeds = -1", "-1"),
        ("seeds = 200", "seeds = true", "True"),
        ("block = 20", "block = 0", "0"),
        ("children = 0.4", "children = 1.0", "1.0"),
        ("children = 0.4", "children = nan", "nan"),
        ("points = 12", "points = 9", "latency-sniper"),
        ("times = [1, 2, 4, 8]", 'times = ["many", 2, 4, 8]', "griefer"),
        ("times = [1, 2, 4, 8]", "times = 8", "griefer"),
        ("seeds = 200", "seeds = = 200", "TOML"),
        ("median = 500_000", 'median = "much"', "much"),
        ("median = 500_000", "median = 0.5", "median"),
        ("market = [0.2, 0.4]", "market = [0.2]", "market"),
        ("mechanisms = []", "mechanisms = [1]", "mechanisms"),
    ],
)
def test_what_is_no_study_is_refused_with_what_was_wrong(old: str, new: str, named: str) -> None:
    broken = raw().decode().replace(f"\n{old}", f"\n{new}", 1).encode()

    with pytest.raises(InvalidInput, match=named):
        parse(broken)


def test_a_file_that_is_too_long_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="bytes long"):
        parse(b"#" * 200_000)
    with pytest.raises(InvalidInput, match="could not be read"):
        load(tmp_path / "nothing.toml")


def test_the_small_study_is_one() -> None:
    assert small.study().mechanisms == ("pump", "lca")


def test_the_shipped_results_are_those_of_the_registered_study() -> None:
    found = json.loads(REGISTERED.read_bytes())

    assert found["config_hash"] == load().digest
    assert found["seeds"]["n"] == load().seeds >= 200
