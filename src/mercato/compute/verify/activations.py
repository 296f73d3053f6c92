"""Last hidden states as commitments hold them: which of their numbers are the largest, and which bits these have.

States are bfloat16 as unsigned numbers of 16 bits, [token, number], behind the model's last norm: what its head reads.
Imported only where a commitment is made or opened, as it takes numpy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercato.compute.verify.toploc import STRETCH, TOP, Point, Proof

States = npt.NDArray[np.uint16]
MAGNITUDE = 0x7FFF  # all but the sign: as whole numbers in the order of what they stand for


def rounded(numbers: npt.NDArray[np.floating]) -> States:
    """Returns numbers as the bits of the bfloat16 that is nearest to each, of two the even one."""
    bits = numbers.astype(np.float32).view(np.uint32)
    found: States = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return found


def points(states: States) -> list[Point]:
    """Returns where the largest numbers of a stretch are, row after row, and their bits; ValueError for too few."""
    flat = states.reshape(-1)
    if flat.size < TOP:
        raise ValueError(f"states were {flat.size} numbers, expected {TOP} or more")
    places = np.argpartition(flat & MAGNITUDE, flat.size - TOP)[-TOP:]
    return [(int(place), int(flat[place])) for place in places]


def stretches(states: States, prompt: int, most: int) -> dict[int, list[Point]]:
    """Returns the points of a prompt of so many tokens, and of whole stretches of what was read after it, at most so
    many. The last token of an answer is in none: whoever wrote it need not have read it."""
    count = min(most, (len(states) - prompt) // STRETCH)
    found = {0: points(states[:prompt])}
    for number in range(count):
        start = prompt + number * STRETCH
        found[number + 1] = points(states[start : start + STRETCH])
    return found


def committed(states: States, prompt: int) -> list[str]:
    """Returns the proofs of a prompt of so many tokens and of all that was read after it, as a provider hands them out:
    the last one may stand for fewer tokens than a stretch has."""
    parts = [states[:prompt], *(states[at : at + STRETCH] for at in range(prompt, len(states), STRETCH))]
    return [Proof.of(points(part)).text() for part in parts]
