"""A toy language model: each token is the largest of hashed Gumbel numbers, so it is deterministic, without weights.

Numerical noise, as other hardware or coarser weights give, moves the numbers a little and now and then changes which is
the largest: real statistics of token matches, without a GPU. Prompts differ in how sensitive they are, so matches
within one answer are not independent, as with real models. Its hidden states are hashed normal numbers of all that was
read, some wider than others, moved by the same noise; nothing is computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
States = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

VOCABULARY = 32
WIDTH = 64  # numbers of an embedding
HIDDEN = 128  # numbers of a hidden state
WIDER = 0.5  # how differently wide these are: the spread of their logarithm
WORDS = [
    "the", "a", "market", "agent", "open", "model", "token", "price", "fair", "launch", "pool", "bid", "trade", "chain",
    "proof", "node", "café", "naïve", "garçon", "日本", "価格", "Ωmega", "ψ", "→", "€", "🙂", "is", "has", "of", "and",
    "with", "for",
]  # fmt: skip
HARDWARE = 0.025  # noise between two honest machines: about 98 of 100 tokens match
QUANTISED = 0.15  # noise of coarser weights: about 90 of 100
UNEVEN = 0.5  # how differently sensitive prompts are: the spread of the logarithm of their noise
CHUNK = 1 << 12  # positions that are computed at once: their numbers stay in the cache


def mix(value: States) -> States:
    """Returns hashed values (the finaliser of splitmix64, G. Steele and others, 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def uniform(value: States) -> Floats:
    """Returns hashed values as numbers between 0 and 1, both excluded."""
    found: Floats = ((value >> np.uint64(11)).astype(np.float64) + 0.5) / float(1 << 53)
    return found


@dataclass(frozen=True, slots=True)
class Toy:
    """One machine that serves the toy model.

    weights: another value is another model; coarse: fixed noise of quantised weights; noise: of the hardware, drawn
    anew with every `run`.
    """

    weights: int = 0
    coarse: float = 0.0
    noise: float = 0.0
    run: int = 0

    def again(self, run: int) -> Toy:
        """Returns the same machine at another time: its hardware's noise falls differently."""
        return replace(self, run=run)

    def answers(self, prompts: States, length: int) -> Ints:
        """Returns tokens [prompt, position] at temperature 0."""
        with np.errstate(over="ignore"):
            state, spread = mix(prompts), sensitivity(prompts)
            written = np.empty((len(prompts), length), np.int64)
            for position in range(length):
                written[:, position] = self._largest(state, spread)
                state = after(state, written[:, position])
        return written

    def preferred(self, prompts: States, claimed: Ints) -> Ints:
        """Returns the token [prompt, position] that it would have written after each claimed beginning: a prefill."""
        with np.errstate(over="ignore"):
            states = np.empty(claimed.shape, np.uint64)
            state = mix(prompts)
            for position in range(claimed.shape[1]):
                states[:, position] = state
                state = after(state, claimed[:, position])
            spread = np.repeat(sensitivity(prompts), claimed.shape[1])
            flat, step = states.reshape(-1), CHUNK
            parts = [self._largest(flat[at : at + step], spread[at : at + step]) for at in range(0, len(flat), step)]
        return np.concatenate([*parts, np.empty(0, np.int64)]).reshape(claimed.shape)

    def _largest(self, state: States, spread: Floats) -> Ints:
        largest: Ints = self.numbers(state, spread).argmax(axis=1)
        return largest

    def numbers(self, state: States, spread: Floats) -> Floats:
        """Returns what the model says of each token [state, token]: its logarithm of probability, up to a constant."""
        keys = mix(state[:, None] ^ _column(self.weights))
        return self._moved(-np.log(-np.log(uniform(keys))), keys, spread)

    def vectors(self, texts: States) -> Floats:
        """Returns the embedding [text, number] of each text."""
        with np.errstate(over="ignore"):
            keys = mix(mix(texts)[:, None] ^ _column(self.weights, WIDTH))
            return self._moved(_normal(keys), keys, sensitivity(texts))

    def hidden(self, read: States, spread: Floats) -> Floats:
        """Returns the last hidden state [token, number] at each token, by a hash of all that was read by then."""
        with np.errstate(over="ignore"):
            keys = mix(read[:, None] ^ _column(self.weights, HIDDEN))
            wide = np.exp(WIDER * _normal(mix(_column(self.weights, HIDDEN))))
            return self._moved(_normal(keys), keys, spread) * wide

    def _moved(self, numbers: Floats, keys: States, spread: Floats) -> Floats:
        """Returns numbers with the noise of this machine."""
        for size, salt in ((self.coarse, 1), (self.noise, 2 + self.run)):
            if size:
                moved: Floats = size * spread[:, None] * _normal(mix(keys ^ mix(np.array([salt], np.uint64))))
                numbers = numbers + moved
        return numbers


def after(state: States, token: Ints) -> States:
    """Returns the state after one more token."""
    return mix(state ^ (token.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93))


def reading(tokens: States) -> States:
    """Returns the hash of all that was read at each token, [token]."""
    found = np.empty(len(tokens), np.uint64)
    here = np.zeros(1, np.uint64)
    with np.errstate(over="ignore"):
        for place, token in enumerate(tokens):
            here = mix(here ^ token)
            found[place] = here[0]
    return found


def sensitivity(prompts: States) -> Floats:
    """Returns how much noise moves the numbers of each prompt: log-normal, 1 in the median."""
    return np.exp(UNEVEN * _normal(mix(prompts ^ np.uint64(0x5851F42D4C957F2D))))


def _column(weights: int, count: int = VOCABULARY) -> States:
    return mix(np.arange(count, dtype=np.uint64) ^ np.uint64(weights << 8))


def _normal(value: States) -> Floats:
    """Nearly normal numbers of variance 1: the sum of four uniform ones out of the four quarters of each hash."""
    even = np.uint64(0x0000FFFF0000FFFF)
    pairs = (value & even) + ((value >> np.uint64(16)) & even)
    total = ((pairs + (pairs >> np.uint64(32))) & np.uint64(0xFFFFFFFF)).astype(np.float64)
    found: Floats = (total / 65536 - 2) * np.sqrt(3.0)
    return found
