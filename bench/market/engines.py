"""Mercato, polars and pandas on the same history, one process each, one after the other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.market.compare import differences
from bench.market.data import Shape, make, month_starts
from bench.market.work import STEPS

RIVALS = ("polars", "pandas")
#: The engines take turns so often, and the run with the median total counts.
ROUNDS = 3
QUICK = Shape(assets=300, months=2)


def report(*, quick: bool) -> bool:
    """Runs every engine, prints times, peaks and ratios, and returns whether their results are equal."""
    shape = QUICK if quick else Shape()
    folder = make(shape)
    last = month_starts(shape)[-1] - timedelta(days=1)
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in (folder / "observations").glob("*.parquet"))
    print(f"\n# market: {rows:,} simulated observations, hourly prices of {shape.assets:,} assets\n")
    names = ("mercato", *RIVALS)
    rounds = [{name: _run(name, folder, last.isoformat()) for name in names} for _ in range(1 if quick else ROUNDS)]
    runs = {
        name: sorted((one[name] for one in rounds), key=lambda run: float(run["total"]))[len(rounds) // 2]
        for name in names
    }
    _table(runs)
    if len(rounds) > 1:
        print("\nthe median of", ROUNDS, "rounds; all totals:", _totals(rounds))
    _ratios(runs)
    out = folder.parent / "out"
    found = [f"{name}: {text}" for name in RIVALS for text in differences(out / "mercato", out / name)]
    print("results equal: " + ("yes" if not found else "NO\n  " + "\n  ".join(found)))
    shutil.rmtree(out)
    return not found and bool(runs["mercato"]["day_equal"])


def _totals(rounds: list[dict[str, dict[str, Any]]]) -> str:
    totals = {name: [f"{one[name]['total']:.2f}" for one in rounds] for name in rounds[0]}
    return "; ".join(f"{name} {', '.join(texts)}" for name, texts in totals.items())


def _run(name: str, folder: Path, last: str) -> dict[str, Any]:
    out = folder.parent / "out" / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = [sys.executable, "-m", "bench.market.work", name, str(folder), str(out), last]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=3600)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _table(runs: dict[str, dict[str, Any]]) -> None:
    print("| step, seconds | " + " | ".join(runs) + " |")
    print("|---|" + "---:|" * len(runs))
    for step in STEPS:
        print(f"| {step} | " + " | ".join(f"{run['steps'][step]:.2f}" for run in runs.values()) + " |")
    print("| all | " + " | ".join(f"{run['total']:.2f}" for run in runs.values()) + " |")
    print("| peak memory, GB | " + " | ".join(f"{run['peak'] / 1e9:.2f}" for run in runs.values()) + " |")


def _ratios(runs: dict[str, dict[str, Any]]) -> None:
    ours = runs["mercato"]
    print()
    for name in RIVALS:
        speed, memory = runs[name]["total"] / ours["total"], ours["peak"] / runs[name]["peak"]
        print(f"against {name}: {speed:.2f} times as fast, {memory:.2f} of its peak memory")
    share = ours["one_day"] / ours["total"]
    print(f"one more day: {ours['one_day']:.2f} s, {100 * share:.1f} % of the full run")
    print(f"the same in a process that adds its first day: {ours['first_day']:.2f} s")
    print(f"its figures are those of a full recomputation: {'yes' if ours['day_equal'] else 'NO'}")
