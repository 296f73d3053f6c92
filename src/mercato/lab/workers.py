"""Spreads pure tasks over the processes of one machine. What a task returns does not depend on where it ran."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Protocol, TypeVar

#: Tasks that wait with each worker.
AHEAD = 3
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Spread(Protocol):
    """Runs a function over tasks and yields each task with its answer, in the order in which they finish."""

    def __call__(self, do: Callable[[Asked], Answer], tasks: Iterable[Asked]) -> Iterator[tuple[Asked, Answer]]:
        """Returns the pairs as they come."""


def here(do: Callable[[Asked], Answer], tasks: Iterable[Asked]) -> Iterator[tuple[Asked, Answer]]:
    """Runs the tasks in this process, one after the other."""
    return ((task, do(task)) for task in tasks)


@contextmanager
def processes(count: int) -> Iterator[Spread]:
    """Gives `count` worker processes, which end with this one however it ends; with one, this process works itself."""
    if count == 1:
        yield here
        return
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_end_with_parent) as pool:
        try:
            yield partial(_spread, pool, AHEAD * count)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _spread(
    pool: ProcessPoolExecutor, ahead: int, do: Callable[[Asked], Answer], tasks: Iterable[Asked]
) -> Iterator[tuple[Asked, Answer]]:
    """Keeps `ahead` tasks with the workers, so that neither tasks nor answers pile up."""
    left, running = iter(tasks), dict[Future[Answer], Asked]()
    while True:
        running |= {pool.submit(do, task): task for task in islice(left, ahead - len(running))}
        if not running:
            return
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(done), done.result()


def _end_with_parent() -> None:
    """A parent that is killed cannot tell its workers: each watches for its end."""
    Thread(target=_end_after_parent, daemon=True).start()


def _end_after_parent() -> None:
    if parent := parent_process():
        parent.join()
    os._exit(1)
