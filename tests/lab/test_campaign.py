import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mercato.core.errors import InvalidInput
from mercato.lab.archive import Archive, whole
from mercato.lab.campaign import Trials, blocks, chosen, search
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.run import run, takes, undisturbed
from mercato.lab.search import best, trial
from mercato.lab.shipped import read, ship, shipped
from mercato.lab.study import Study, load, parse
from mercato.lab.workers import here, processes
from tests.lab import small
from tests.waiting import wait_for

SEEDS = range(10, 13)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a study with what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The small study, carried out by one process."""
    archive = Archive(tmp_path_factory.mktemp("study"))
    archive.open(small.content())
    chosen(small.study(), SEEDS, archive).carry_out(here)
    return archive


def test_any_number_of_workers_writes_the_same_bytes(done: Archive, tmp_path: Path) -> None:
    again = Archive(tmp_path)
    again.open(small.content())
    with processes(2) as spread:
        chosen(small.study(), SEEDS, again).carry_out(spread)

    assert files(tmp_path) == files(done.folder)


def test_a_study_that_is_killed_goes_on_where_it_was_and_ends_with_the_same_bytes(
    done: Archive, tmp_path: Path
) -> None:
    config, out = tmp_path / "small.toml", tmp_path / "out"
    config.write_bytes(small.content())
    command = [sys.executable, "-c", "from mercato.cli import main; main()", "lab", "run", "--config", str(config),
               "--seeds", "10:13", "--out", str(out), "--workers", "2", "--json"]  # fmt: skip
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: any(out.glob("search/*/*.json")))
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    written = files(out)

    printed = subprocess.run(command, check=True, capture_output=True, timeout=120)

    assert written.items() <= files(out).items() | written.items()
    assert {name: body for name, body in files(out).items() if "/." not in name} == files(done.folder)
    assert b"runs on scored seeds: 20 of 20" in printed.stderr
    assert json.loads(printed.stdout)["config_hash"] == small.study().digest


def test_what_is_finished_is_not_done_again(done: Archive) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.folder.rglob("*.jsonl")}
    seen: list[tuple[str, int, int]] = []

    chosen(small.study(), SEEDS, done).carry_out(here, lambda *said: seen.append(said))

    assert before == {path: path.stat().st_mtime_ns for path in done.folder.rglob("*.jsonl")}
    assert seen == []


def test_every_run_asked_for_is_kept_once(done: Archive) -> None:
    kept = [(item.mechanism, item.adversary, item.seed) for item in done.records()]
    study = small.study()

    assert kept == sorted((m, a, s) for m in study.mechanisms for a in study.adversaries for s in SEEDS)


def test_results_are_of_the_seeds_asked_for_and_of_no_others_in_the_folder(done: Archive) -> None:
    some = chosen(small.study(), range(11, 12), done)

    assert {item.seed for item in some.records()} == {11}


def test_the_single_sybil_attacks_with_what_was_found_for_the_many(done: Archive) -> None:
    used = {(item.mechanism, item.adversary): item.parameters for item in done.records()}

    assert used["lca", "sybil-single"] == used["lca", "sybil"]
    assert used["pump", "none"] == {}


def test_the_search_takes_the_best_of_what_it_tried_on_training_seeds(done: Archive) -> None:
    found = json.loads(done.searched("pump", "latency-sniper").read_bytes())
    sums = [item["reached_ppm_sum"] for item in found["tried"]]

    assert len(sums) == small.study().search.points
    assert found["best"] == found["tried"][sums.index(max(sums))]["parameters"]
    assert max(sums) == trial(small.study(), "pump", "latency-sniper", found["best"])


def test_of_equal_parameter_sets_the_first_is_taken() -> None:
    assert best([{"a": 1}, {"a": 2}, {"a": 3}], [4, 5, 5]) == {"a": 2}
    assert best([], []) == {}


def test_a_folder_with_another_study_is_left_alone(done: Archive) -> None:
    before = files(done.folder)

    with pytest.raises(InvalidInput, match="config_hash"):
        done.open(small.content() + b"\n")
    assert files(done.folder) == before


def test_a_folder_without_a_study_is_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no study"):
        Archive(tmp_path).manifest()


def test_blocks_are_cut_at_the_same_seeds_wherever_a_range_begins() -> None:
    assert blocks(range(3, 11), 4) == [range(3, 4), range(4, 8), range(8, 11)]
    assert blocks(range(4, 8), 4) == [range(4, 8)]


def test_seeds_that_trained_the_attacks_are_not_scored(tmp_path: Path) -> None:
    first = small.study().search.first_seed

    with pytest.raises(InvalidInput, match="train"):
        chosen(small.study(), range(first + 1, first + 9), Archive(tmp_path))


@pytest.mark.parametrize(("old", "new"), [('"pump"', '"plump"'), ('"none"', '"nobody"')])
def test_unknown_names_are_refused_with_those_that_are_known(old: str, new: str, tmp_path: Path) -> None:
    wrong: Study = parse(small.content().replace(old.encode(), new.encode()))

    with pytest.raises(InvalidInput, match=new.strip('"')) as refused:
        chosen(wrong, SEEDS, Archive(tmp_path))
    assert old.strip('"') in str(refused.value.hint)


@pytest.mark.parametrize("seeds", [range(5, 5), range(-1, 3), range(2_000_000)])
def test_seeds_that_are_none_or_too_many_are_refused(seeds: range, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="seeds"):
        chosen(small.study(), seeds, Archive(tmp_path))


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    whole(path, b"one")
    whole(path, b"two")

    assert files(tmp_path) == {"deep/file": b"two"}


def test_what_was_found_before_by_the_same_code_is_not_searched_again(done: Archive, tmp_path: Path) -> None:
    ship(done, tmp_path / "searched.json")
    again = Archive(tmp_path / "again")
    again.open(small.content())
    seen: list[str] = []

    found = read(tmp_path / "searched.json", small.study().digest)
    replace(chosen(small.study(), SEEDS, again), found=found).carry_out(here, lambda what, *_: seen.append(what))

    assert set(seen) == {"runs on scored seeds"}
    assert files(again.folder) == files(done.folder)
    assert read(tmp_path / "searched.json", "another study") == {}


def test_the_sellers_own_attack_counts_what_the_sale_brings_it_more() -> None:
    point = {"size_bps": 5_000, "at_minutes": 0}
    order = small.tape(3)
    venue = MECHANISMS["lca"](order.economy)
    outcome = run("lca", "seller-shill", point, order)

    gained = takes(outcome, venue.seller_bps) - undisturbed("lca", order)
    assert outcome.costs == -gained
    assert undisturbed("lca", order) == takes(run("lca", "none", {}, order), venue.seller_bps)


def test_what_is_shipped_is_what_the_registered_search_finds() -> None:
    study = load()
    found = shipped(study.digest)
    cells = [cell for cell in (("lca", "pool-open-sniper"), ("virtuals-60s", "tax-edge-sniper")) if cell in found]

    assert all(found[cell] == search(Trials(study, *cell)) for cell in cells)
