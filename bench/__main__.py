"""Runs the benchmarks: `python -m bench [chains] [compute] [kit] [lab] [launch] [market] [--quick]`."""

from __future__ import annotations

import argparse
import sys

from bench import chains, compute, kit, lab, launch, market

SUITES = {
    "chains": chains.suite,
    "compute": compute.suite,
    "kit": kit.suite,
    "lab": lab.suite,
    "launch": launch.suite,
    "market": market.suite,
}


def main() -> int:
    """Runs the suites that were named, all of them by default; returns 1 where results differ."""
    parser = argparse.ArgumentParser(prog="bench", description="Benchmarks of Mercato beside its rivals")
    parser.add_argument("suites", nargs="*", choices=[[], *SUITES], help="which to run (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="a small shape, to see that it runs; quote no figure of it"
    )
    chosen = parser.parse_args()
    results = [SUITES[name](quick=chosen.quick) for name in chosen.suites or SUITES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
