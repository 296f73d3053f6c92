"""Spreads pure tasks over a Ray cluster. What a task returns does not depend on where it ran.

Ray is an extra (`pip install 'mercato[ray]'`) and is imported only here and only when a cluster was asked for. Every
node needs the same Mercato: a node whose sources differ refuses the task, since its runs could differ too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from socket import create_connection
from typing import Any, TypeVar

from mercato.core.errors import ConfigError, Conflict
from mercato.lab.archive import code_hash
from mercato.lab.workers import Spread

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
SECONDS = 5.0
AHEAD = 3  # tasks in flight for each processor of the cluster: enough that none waits for the driver


@contextmanager
def cluster(address: str) -> Iterator[Spread]:
    """Gives the cluster at `address` (`HOST:PORT`, or `auto` for the one on this machine) until the block ends.

    ConfigError where Ray is not installed or nothing answers there.
    """
    ray = _ray()
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        hint = "start one with `ray start --head`, and use the address that it prints"
        raise ConfigError(f"no Ray cluster answered at {address!r}", hint=hint) from error
    try:
        yield partial(_spread, ray)
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError where nothing listens; Ray itself would try again for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        create_connection((host, int(port)), timeout=SECONDS).close()


def _spread(ray: Any, do: Callable[[Asked], Answer], tasks: Iterable[Asked]) -> Iterator[tuple[Asked, Answer]]:
    """Yields each task with its answer as they finish; a task whose node died is done again elsewhere."""
    remote = ray.remote(num_cpus=1, max_retries=3)(_done)
    left, wanted = iter(tasks), code_hash()
    waiting: dict[Any, Asked] = {}
    room = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    while True:
        waiting |= {remote.remote(do, task, wanted): task for task in islice(left, room - len(waiting))}
        if not waiting:
            return
        finished, _ = ray.wait(list(waiting))
        for one in finished:
            yield waiting.pop(one), ray.get(one)


def _done(do: Callable[[Asked], Answer], task: Asked, wanted: str) -> Answer:
    """Does one task on a node; Conflict where its sources are not the driver's."""
    if _own_code() != wanted:
        raise Conflict("a node of the cluster has another Mercato", hint="install the same version on every node")
    return do(task)


@lru_cache(maxsize=1)
def _own_code() -> str:
    return code_hash()


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise ConfigError("Ray is not installed", hint="pip install 'mercato[ray]'") from None
    return ray
