"""The lab room: how launch mechanisms fare against the bots that attack them, measured before money is at stake.

The same exogenous order flow is replayed into every mechanism, honest people use each as it is meant to be used, and
adversaries are tuned against each on seeds that are not scored. Everything here is simulated.
"""

from mercato.lab.model import Economy, Outcome, Tape

__all__ = ["Economy", "Outcome", "Tape"]
