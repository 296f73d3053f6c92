"""What an agent's whole supply is worth to its traders, hour by hour: a common tide and each token's own waves.

Known to nobody in the simulation but felt by everybody: traders push the price towards it. Thousandths of a natural
logarithm throughout. The weather of the first weeks is written down, so that a season has a fall and a recovery to
show; from then on there is no direction, only a pull back to where the season left it.
"""

from __future__ import annotations

from mercato.launch.season.draws import bell, grown, stream

#: From hour to hour: millionths of a logarithm that the weather adds to every token.
WEATHER = ((0, 144, 900), (144, 480, -1_500), (480, 640, 200), (640, 850, 2_000))
COMMON, OWN = 5_200, 5_800  # hourly deviations, millionths of a logarithm: about 2.5 % and 2.8 % a day
MICRO = 1_000_000


class Tide:
    """The worth of every token by hour since the season began. The past never changes: it is drawn from the seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._paths: dict[str, list[int]] = {}

    def worth(self, symbol: str, start: int, born: int, hour: int) -> int:
        """Returns what `start`, the worth in hour `born`, has become by `hour`; any unit."""
        change = self._at("", hour) - self._at("", born) + self._at(symbol, hour) - self._at(symbol, born)
        return grown(start, change // MILLI_OF_MICRO)

    def _at(self, symbol: str, hour: int) -> int:
        """Returns the logarithm, in millionths, of the common tide (no symbol) or of a token's own waves."""
        path = self._paths.setdefault(symbol, [0])
        while len(path) <= hour:
            path.append(path[-1] + self._step(symbol, len(path), path[-1]))
        return path[hour]

    def _step(self, symbol: str, hour: int, now: int) -> int:
        noise = bell(stream(self._seed, "tide", symbol, hour)) * (OWN if symbol else COMMON) // 1000
        pull = -now // 2_000 if hour > WEATHER[-1][1] or symbol else 0
        return noise + pull + (0 if symbol else weather(hour))


MILLI_OF_MICRO = MICRO // 1000


def weather(hour: int) -> int:
    """Returns what the weather adds in an hour."""
    return next((push for first, last, push in WEATHER if first <= hour < last), 0)
