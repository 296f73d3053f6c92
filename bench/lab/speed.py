"""How fast launches are simulated: one mechanism after the other on one core, then the registered study on two.

An order event is something that a person of the tape does: a look, an order, an exit. What the adversary does beside
it is in the time and not in the count.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from mercato.lab.adversaries import ADVERSARIES, BASELINES
from mercato.lab.archive import Archive
from mercato.lab.campaign import chosen
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.model import Tape
from mercato.lab.players import schedule
from mercato.lab.records import record
from mercato.lab.run import run, tape
from mercato.lab.study import Study, load, raw
from mercato.lab.workers import processes
from mercato.lab.world import SAMPLE_MS

WORKERS = 2
LIMIT = 20 * 60
FEW = ("lca", "pump"), ("none", "latency-sniper")


def report(*, quick: bool) -> bool:
    """Prints both tables; returns whether one worker and two wrote the same bytes."""
    study = load()
    if quick:
        study = replace(study, search=replace(study.search, seeds=1))
    events_of_each(study, seeds=2 if quick else 10)
    seeds = range(study.first_seed, study.first_seed + (2 if quick else study.seeds))
    with TemporaryDirectory() as folder:
        whole_study(study, seeds, Path(folder) / "study")
        few = replace(study, mechanisms=FEW[0], adversaries=FEW[1])
        return same_bytes(few, seeds[:2], Path(folder))


def events_of_each(study: Study, seeds: int) -> None:
    """Prints order events a second on one core by mechanism, metrics included, without an adversary."""
    tapes = [tape(seed, study.people, study.value) for seed in range(study.first_seed, study.first_seed + seeds)]
    print(f"\nOrder events a second on one core, {seeds} seeds without an adversary, metrics taken")
    print("| mechanism | order events a run | ms a run | order events/s |\n|---|---:|---:|---:|")
    for name, make in MECHANISMS.items():
        block = make(tapes[0].economy).block_ms
        count = sum(events(order, block) for order in tapes)
        start = process_time()  # of this core: what else the machine does is not in it
        for order in tapes:
            record(run(name, "none", {}, order), order, {}).line()
        spent = process_time() - start
        print(f"| {name} | {count / seeds:,.0f} | {spent / seeds * 1000:.1f} | {count / spent:,.0f} |")


def events(order: Tape, block_ms: int) -> int:
    """Returns what people do in a launch; the samples of the price between are no order events."""
    return len(schedule(order, block_ms, SAMPLE_MS)) - len(range(0, order.economy.horizon_ms, SAMPLE_MS))


def whole_study(study: Study, seeds: range, folder: Path) -> None:
    """Carries the registered study out and prints how long it took."""
    names = len(MECHANISMS), len(ADVERSARIES), len(BASELINES)
    start = perf_counter()
    carry_out(study, seeds, folder, WORKERS)
    spent = perf_counter() - start
    trials = names[0] * names[1] * study.search.points * study.search.seeds
    runs = names[0] * (names[1] + names[2]) * len(seeds)
    print(
        f"\nThe registered study: {len(seeds)} seeds, {names[0]} mechanisms, {names[1]} attacks, {names[2]} baselines"
    )
    print(f"{trials:,} runs to search and {runs:,} scored, {WORKERS} workers: {spent / 60:.1f} minutes")
    print(
        f"{spent * WORKERS / (trials + runs) * 1000:.1f} ms of a core for each run; the limit is {LIMIT // 60} minutes"
    )


def same_bytes(study: Study, seeds: range, folder: Path) -> bool:
    """Returns whether one process and two write the same files, to the byte."""
    written = []
    for workers in (1, WORKERS):
        place = folder / f"by-{workers}"
        carry_out(study, seeds, place, workers)
        written.append({path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()})
    agreed = written[0] == written[1]
    print(f"\nthe same bytes from one worker and from two: {'yes' if agreed else 'NO'}")
    return agreed


def carry_out(study: Study, seeds: range, folder: Path, workers: int) -> None:
    """Runs the study over seeds into a folder."""
    archive = Archive(folder)
    campaign = chosen(study, seeds, archive)
    archive.open(raw(None))
    with processes(workers) as spread:
        campaign.carry_out(spread)
