"""The work that is measured, step by step, for Mercato and its rivals; each run is a process of its own."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

#: Steps in order. A rival's module offers them under these names; ours are in ours.py.
STEPS = ("rollup", "panel", "level", "dominance", "decompose", "ranges", "rebounds")


class Watch:
    """Times named steps of this process."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        """Runs the work, adds its wall time to the step, and returns what it gave."""
        start = time.perf_counter()
        result = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        return result


def rival(
    module: Any, read: Callable[[Path], Any], folder: Path, out: Path, last: date, watch: Watch
) -> dict[str, Any]:
    """Returns every result of a data-frame library, by step."""
    assets = read(folder / "assets.parquet")
    daily = watch("rollup", lambda: module.rollup(folder, out))
    rows = watch("panel", lambda: module.panel(daily, assets, last, out))
    ai = watch("level", lambda: module.sector(rows))
    return {
        "level": watch("level", lambda: module.level(ai)),
        "dominance": watch("dominance", lambda: module.dominance(ai)),
        "decompose": watch("decompose", lambda: module.decompose(ai)),
        "ranges": watch("ranges", lambda: module.ranges(daily)),
        "rebounds": watch("rebounds", lambda: module.rebounds(rows, last)),
    }


def run(engine: str, folder: Path, out: Path, last: date) -> dict[str, Any]:
    """Does all the work on one engine, writes its results into `out`, and returns times and peak memory."""
    watch = Watch()
    started = time.perf_counter()
    extra: dict[str, Any] = {}
    if engine == "polars":
        import polars as pl

        from bench.market import polars_rival

        for name, frame in rival(polars_rival, pl.read_parquet, folder, out, last, watch).items():
            frame.write_parquet(out / f"{name}.parquet")
    elif engine == "pandas":
        import pandas as pd

        from bench.market import pandas_rival

        for name, frame in rival(pandas_rival, pd.read_parquet, folder, out, last, watch).items():
            frame.to_parquet(out / f"{name}.parquet")
    else:
        from bench.market import ours

        extra = ours.everything(folder, out, last, watch)
    total = sum(watch.seconds.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"total": total, "wall": time.perf_counter() - started, "steps": watch.seconds, "peak": peak, **extra}


if __name__ == "__main__":
    _, name, data, target, day = sys.argv
    print(json.dumps(run(name, Path(data), Path(target), date.fromisoformat(day))))
