"""Carries a study out: searches for the best attacks, runs them on the scored seeds, and keeps every result.

What is finished is not done again, so a study that was stopped or killed goes on where it was. Tasks are pure and
return bytes, and only this process writes: the files are the same for any number of workers, on any machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mercato.core.errors import InvalidInput
from mercato.lab.adversaries import ADVERSARIES, BASELINES, Parameters
from mercato.lab.archive import Archive, whole
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.records import Record, record
from mercato.lab.run import run, tape
from mercato.lab.search import BORROWED, best, grid, trial
from mercato.lab.study import Study
from mercato.lab.workers import Spread

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Trials:
    """The search for one attack on one mechanism."""

    study: Study
    mechanism: str
    adversary: str


@dataclass(frozen=True, slots=True)
class Block:
    """Runs of one attack on one mechanism over a block of seeds."""

    study: Study
    mechanism: str
    adversary: str
    parameters: Parameters
    seeds: range


@dataclass(frozen=True, slots=True)
class Campaign:
    """What of a study is carried out, and where to; `found` is what a search has found before, by the same code."""

    study: Study
    seeds: range
    mechanisms: tuple[str, ...]
    adversaries: tuple[str, ...]
    archive: Archive
    found: Mapping[tuple[str, str], bytes] = field(default_factory=dict)

    def carry_out(self, spread: Spread, watch: Progress | None = None) -> None:
        """Does what is not done yet."""
        self._search(spread, watch)
        self._run(spread, watch)

    def records(self) -> Iterator[Record]:
        """Yields the runs that were asked for, and none that the folder has besides."""
        asked = (set(self.mechanisms), set(self.adversaries))
        for item in self.archive.records():
            if item.seed in self.seeds and item.mechanism in asked[0] and item.adversary in asked[1]:
                yield item

    def _search(self, spread: Spread, watch: Progress | None) -> None:
        attacks = sorted({BORROWED.get(name, name) for name in self.adversaries} & set(ADVERSARIES))
        asked = [Trials(self.study, mechanism, name) for mechanism in self.mechanisms for name in attacks]
        paths = {(task.mechanism, task.adversary): self.archive.searched(task.mechanism, task.adversary)
                 for task in asked}  # fmt: skip
        for place, path in paths.items():
            if place in self.found and not path.exists():
                whole(path, self.found[place])
        left = [task for task in asked if not paths[task.mechanism, task.adversary].exists()]
        for done, (task, content) in enumerate(spread(search, left), len(asked) - len(left) + 1):
            whole(paths[task.mechanism, task.adversary], content)
            if watch:
                watch("search on training seeds", done, len(asked))

    def _run(self, spread: Spread, watch: Progress | None) -> None:
        asked = [
            Block(self.study, mechanism, adversary, self._parameters(mechanism, adversary), seeds)
            for seeds in blocks(self.seeds, self.study.block)
            for mechanism in self.mechanisms
            for adversary in self.adversaries
        ]
        left = [task for task in asked if not self._path(task).exists()]
        for done, (task, content) in enumerate(spread(score, left), len(asked) - len(left) + 1):
            whole(self._path(task), content)
            if watch:
                watch("runs on scored seeds", done, len(asked))

    def _path(self, task: Block) -> Any:
        return self.archive.runs(task.mechanism, task.adversary, task.seeds)

    def _parameters(self, mechanism: str, adversary: str) -> Parameters:
        name = BORROWED.get(adversary, adversary)
        if name not in ADVERSARIES:
            return {}
        found: Mapping[str, int] = json.loads(self.archive.searched(mechanism, name).read_bytes())["best"]
        return found


def search(task: Trials) -> bytes:
    """Returns every parameter set of an attack with what it took on the training seeds, and the best, as JSON."""
    points = grid(task.study, task.adversary)
    sums = [trial(task.study, task.mechanism, task.adversary, point) for point in points]
    tried = [{"parameters": point, "reached_ppm_sum": total} for point, total in zip(points, sums, strict=True)]
    body = {"best": best(points, sums), "tried": tried, "seeds": task.study.search.seeds}
    return (json.dumps(body, sort_keys=True) + "\n").encode()


def score(task: Block) -> bytes:
    """Returns the records of a block of runs, one in a line."""
    lines = []
    for seed in task.seeds:
        order = tape(seed, task.study.people, task.study.value)
        outcome = run(task.mechanism, task.adversary, task.parameters, order)
        lines.append(record(outcome, order, task.parameters).line())
    return "".join(f"{line}\n" for line in lines).encode()


def blocks(seeds: range, length: int) -> list[range]:
    """Returns the seeds cut at multiples of `length`."""
    cuts = [at for at in range(seeds.start, seeds.stop) if at % length == 0 or at == seeds.start]
    return [range(at, end) for at, end in zip(cuts, [*cuts[1:], seeds.stop], strict=True)]


def chosen(study: Study, seeds: range, archive: Archive) -> Campaign:
    """Returns the campaign of a study over seeds. InvalidInput for unknown names, no seeds, or seeds of the search."""
    known = {"mechanism": tuple(MECHANISMS), "adversary": (*BASELINES, *ADVERSARIES)}
    asked = {"mechanism": study.mechanisms, "adversary": study.adversaries}
    for what, names in asked.items():
        if unknown := [name for name in names if name not in known[what]]:
            raise InvalidInput(f"the {what} was {unknown[0]!r}", hint=f"it is one of {', '.join(known[what])}")
    if missing := sorted(set(asked["adversary"] or known["adversary"]) & set(ADVERSARIES) - set(study.attacks)):
        raise InvalidInput(f"{missing[0]!r} had no parameters to try", hint=f"add [attacks.{missing[0]}] to the study")
    training = range(study.search.first_seed, study.search.first_seed + study.search.seeds)
    if not seeds or seeds.start < 0 or len(seeds) > 1_000_000:
        raise InvalidInput(f"seeds were {seeds.start}:{seeds.stop}", hint="from A up to, not including, B")
    if seeds.start < training.stop and training.start < seeds.stop:
        hint = f"seeds {training.start}:{training.stop} train the attacks, and what trained is not scored"
        raise InvalidInput(f"seeds were {seeds.start}:{seeds.stop}", hint=hint)
    picked = {what: asked[what] or known[what] for what in known}
    return Campaign(study, seeds, picked["mechanism"], picked["adversary"], archive)
