"""The router of one worker: which providers to ask for a request, in which order, and why not the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from mercato.compute.model import Attempt, Need, Offer, Provider, ProviderId, Standing, Usage
from mercato.compute.routing import choice, filters
from mercato.compute.routing.health import Health
from mercato.compute.routing.rules import Rules
from mercato.compute.routing.score import cost, score

Counts = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider with its offer for the model that is asked for."""

    provider: Provider
    offer: Offer


@dataclass(slots=True, eq=False)
class _Rated:
    """A candidate that passed all filters, with its score and the share of its capacity in use."""

    candidate: Candidate
    health: Health
    score: float
    load: float

    @property
    def probation(self) -> bool:
        """Whether it is asked only to prove itself."""
        return self.candidate.provider.standing is Standing.PROBATION


class Router:
    """Orders candidates, and learns from how attempts end. `now` is in seconds of a clock that only goes forward.

    Several workers share what they lived: each stores `counts()` under its own name and gives `hear` what the others
    stored. Counts are replaced as a whole, so hearing twice counts once.
    """

    def __init__(self, rules: Rules | None = None, rng: Random | None = None) -> None:
        self.rules = rules or Rules()
        self._rng = rng or Random()
        self._health: dict[ProviderId, Health] = {}

    def health(self, provider: ProviderId) -> Health:
        """Returns what was lived with a provider; it may be read, and changes with what is told below."""
        found = self._health.get(provider)
        if found is None:
            found = self._health[provider] = Health(self.rules)
        return found

    def order(
        self, need: Need, candidates: Sequence[Candidate], now: float, moment: datetime | None = None
    ) -> list[Candidate]:
        """Returns whom to ask first and whom after, best first; nothing where every candidate is filtered.

        `moment` is the wall clock's, by which offers expire.
        """
        moment = moment or datetime.now(UTC)
        rated = [
            self._rated(each, health, need)
            for each in candidates
            if not self._refused(each, health := self.health(each.provider.id), need, now, moment)
        ]
        if not rated:
            return []
        if len(rated) == 1:
            return [rated[0].candidate]
        rated.sort(key=lambda each: each.score * (1 + each.load))
        if need.wish.order or need.wish.sort:
            return self._as_wished(rated, need)
        first = self._first(rated, need, now)
        return [first.candidate, *(each.candidate for each in self._last_resort(rated) if each is not first)]

    def why(
        self, need: Need, candidates: Sequence[Candidate], now: float, moment: datetime | None = None
    ) -> dict[ProviderId, str]:
        """Returns for each candidate which filter kept it out, "" for those that may be asked."""
        moment = moment or datetime.now(UTC)
        return {
            each.provider.id: self._refused(each, self.health(each.provider.id), need, now, moment)
            for each in candidates
        }

    def free(self, each: Candidate, now: float) -> bool:
        """Whether a candidate may still be asked: others may have been sent to it since it was chosen."""
        health = self.health(each.provider.id)
        return health.inflight < min(health.limit, each.offer.concurrency) and health.breaker.state(now) != "open"

    def began(self, provider: ProviderId, now: float) -> None:
        """Must be told of every attempt when it is sent; `ended` must follow, whatever happens."""
        self.health(provider).began(now)

    def ended(self, provider: ProviderId, attempt: Attempt, usage: Usage | None, now: float) -> None:
        """Takes in how an attempt ended; `usage` is what was counted here."""
        self.health(provider).ended(attempt, usage, now)

    def judged(self, provider: ProviderId, good: bool) -> None:
        """Takes in what an audit found of one answer."""
        self.health(provider).judged(good)

    def counts(self) -> dict[ProviderId, Counts]:
        """Returns what this worker lived, to be stored for the others: good, bad, sound and flawed of each."""
        return {name: (each.good, each.bad, each.sound, each.flawed) for name, each in self._health.items()}

    def hear(self, others: Sequence[Mapping[ProviderId, Counts]]) -> None:
        """Takes in what all other workers stored, in place of what they had stored before."""
        sums: dict[ProviderId, list[float]] = defaultdict(lambda: [0.0] * 4)
        for one in others:
            for provider, counts in one.items():
                sums[provider] = [a + b for a, b in zip(sums[provider], counts, strict=True)]
        for provider in {*self._health, *sums}:
            good, bad, sound, flawed = sums[provider]
            self.health(provider).hear((good, bad, sound, flawed))

    def _refused(self, each: Candidate, health: Health, need: Need, now: float, moment: datetime) -> str:
        return filters.offered(each.provider, each.offer, need, moment) or filters.lived(health, each.offer, need, now)

    def _rated(self, each: Candidate, health: Health, need: Need) -> _Rated:
        load = health.inflight / min(health.limit, each.offer.concurrency)
        return _Rated(each, health, score(each.offer, health, need, self.rules), load)

    def _as_wished(self, rated: list[_Rated], need: Need) -> list[Candidate]:
        """The order that the request names, then by what it wants sorted, or by score."""
        wish, rules = need.wish, self.rules
        keys = {
            "price": lambda each: cost(each.candidate.offer, need, rules),
            "latency": lambda each: each.health.first.high,
            "throughput": lambda each: each.health.token.mean,
        }
        if wish.sort in keys:
            rated = sorted(rated, key=keys[wish.sort])
        places = {name: place for place, name in reversed(list(enumerate(wish.order)))}
        last = len(places) + len(wish.order)
        provider = [(each.candidate.provider, each.candidate) for each in rated]
        provider.sort(key=lambda pair: min(places.get(pair[0].id, last), places.get(pair[0].name, last)))
        return [candidate for _, candidate in provider]

    def _first(self, rated: list[_Rated], need: Need, now: float) -> _Rated:
        """By lot among the active; now and then one is tried that has yet to prove itself, or to recover."""
        active: list[_Rated] = []
        trial: list[_Rated] = []
        for each in rated:
            closed = each.health.breaker.state(now) == "closed"
            if closed and not each.probation:
                active.append(each)
            if not closed or each.probation or each.health.served < self.rules.proven:
                trial.append(each)
        trial = self._fair(trial, active, need)
        if trial and self._rng.random() < min(self.rules.explore * len(trial), self.rules.explore_most):
            return self._rng.choice(trial)
        among = active or [each for each in rated if each.health.breaker.state(now) == "closed"] or rated
        weight = choice.weights([each.score for each in among], self.rules.steepness)
        load = [each.load for each in among]
        if need.prefix:
            names = [each.candidate.provider.id for each in among]
            return among[choice.own(need.prefix, names, weight, load, self.rules.load_cap)]
        return among[choice.two(self._rng, weight, load)]

    def _fair(self, trial: list[_Rated], active: list[_Rated], need: Need) -> list[_Rated]:
        """Those whose trial costs not far more than what is served anyway: else a newcomer could ask for anything."""
        if not (trial and active):
            return []
        most = self.rules.explore_price * min(cost(each.candidate.offer, need, self.rules) for each in active)
        return [each for each in trial if cost(each.candidate.offer, need, self.rules) <= most]

    @staticmethod
    def _last_resort(rated: list[_Rated]) -> list[_Rated]:
        """By score, with those whose breaker is half-open behind all others."""
        return sorted(rated, key=lambda each: each.health.breaker.pause > 0)
