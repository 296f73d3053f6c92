"""Which provider is asked next: hard filters, a score of price, quality and speed, and what was lived with each."""

from mercato.compute.routing.health import Health
from mercato.compute.routing.router import Candidate, Router
from mercato.compute.routing.rules import Rules

__all__ = ["Candidate", "Health", "Router", "Rules"]
