"""Is what is served what was paid for: sampling, matches with a reference, evidence with stated errors, consequences.

Statistics here take a whole answer as one observation, never its tokens, which are not independent.
"""

from mercato.compute.verify.evidence import Evidence, Test
from mercato.compute.verify.match import Cut, Match
from mercato.compute.verify.rate import Rates
from mercato.compute.verify.sampling import Secret, chosen, opens
from mercato.compute.verify.standing import Effect, Event, step

__all__ = ["Cut", "Effect", "Event", "Evidence", "Match", "Rates", "Secret", "Test", "chosen", "opens", "step"]
