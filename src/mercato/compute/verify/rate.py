"""Which share of a provider's answers is audited: all at first, less the longer it is clean, never below a floor."""

from __future__ import annotations

from dataclasses import dataclass

from mercato.compute.verify.evidence import Evidence, Test


@dataclass(frozen=True, slots=True)
class Rates:
    """How auditing adapts.

    first: clean audits before a provider is trusted at all; half: clean audits in which the share halves from then on;
    least: below which it never falls. The floor of proofs of sampling is handed in, as it goes with unsettled pay.
    """

    first: int = 30
    half: int = 10
    least: float = 0.03

    def share(self, clean: int, evidence: Evidence, test: Test, floor: float = 0.0) -> float:
        """Returns the share of answers to audit next, `clean` audits after the last reset.

        An honest answer fails now and then, so a fail does not reset: it raises the share by as much as it adds to the
        evidence, up to all answers from half the bar on.
        """
        if clean < self.first:
            return 1.0
        trusted = max(0.5 ** ((clean - self.first) / self.half), self.least, min(1.0, floor))
        doubt = min(1.0, 2 * evidence.level(test))
        return float(trusted ** (1 - doubt))

    @staticmethod
    def clean(before: int, failed: bool, *, hopeless: bool) -> int:
        """Returns the clean audits after one more: a hopeless answer starts anew, any other fail counts as none."""
        if failed and hopeless:
            return 0
        return before if failed else before + 1
