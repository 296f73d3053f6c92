"""Times the parts of a path: milliseconds on the clock and of the processor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mercato.kit.service import Kit


@dataclass
class Watch:
    """Times the calls of some methods, by name: milliseconds on the clock and of the processor."""

    taken: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def over(self, name: str, on: object, method: str) -> None:
        """Times a method of an object from now on."""
        real: Callable[..., Any] = getattr(on, method)

        def timed(*args: Any, **named: Any) -> Any:
            start, busy = time.perf_counter(), time.process_time()
            try:
                return real(*args, **named)
            finally:
                passed = (time.perf_counter() - start) * 1e3, (time.process_time() - busy) * 1e3
                self.taken.setdefault(name, []).append(passed)

        setattr(on, method, timed)

    def over_path(self, kit: Kit) -> Watch:
        """Times the parts of a kit's path, and the whole of it."""
        for name, on, method in (
            ("dry run", kit.rail, "ready"), ("reserve", kit.ledger, "reserve"), ("sign", kit.rail, "sign"),
            ("keep what was signed", kit.ledger, "sign"), ("send and receipt", kit.rail, "send"),
            ("settle", kit.ledger, "settle"), ("whole path", kit, "act"),
        ):  # fmt: skip
            self.over(name, on, method)
        return self

    def tell(self, head: str, wanted_ms: float) -> None:
        """Prints the medians, and what was wanted of the whole."""
        print(head)
        print("medians; where other programs use the machine, the processor's time is what to go by")
        print(f"{'part':<24}{'ms':>12}{'processor':>12}{'wanted ms':>12}")
        for name, taken in self.taken.items():
            clock, busy = (statistics.median(times) for times in zip(*taken, strict=True))
            wanted = f"{wanted_ms:.1f}" if name == "whole path" else ""
            print(f"{name:<24}{clock:>12.3f}{busy:>12.3f}{wanted:>12}")
