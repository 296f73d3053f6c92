"""The launch room: from an application to an agent token with locked liquidity, through a fair auction.

Teams hand in an `Application`, panels judge it by sealed scorecards, and the contracts do the rest: a `Launch` is in
one `State`, and from scheduling on the chain decides which. `clearing` is the auction's mathematics in Python integers:
the executable specification of the contract.
"""

from mercato.launch.application import Application
from mercato.launch.model import Demand, DemandChanged, Launch, LaunchChanged, Position, Preview, Request, ReviewChanged
from mercato.launch.states import State, Step

__all__ = [
    "Application",
    "Demand",
    "DemandChanged",
    "Launch",
    "LaunchChanged",
    "Position",
    "Preview",
    "Request",
    "ReviewChanged",
    "State",
    "Step",
]
