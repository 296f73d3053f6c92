"""How well the classifier does on a labelled sample: precision and recall of each narrative.

The sample that ships was written for this purpose by the authors, apart from the examples that the classifier learns
from. It is small and made up; a weekly sample of real posts, read by people, is what counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from mercato.core.errors import InvalidInput
from mercato.market.connectors.narratives import Classifier

SAMPLE = "made up by the authors, not real posts"


@dataclass(frozen=True, slots=True)
class Example:
    """A text and the narratives that a person gave it; none for a text about nothing of it."""

    text: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts for one narrative: rightly given, wrongly given, missed."""

    narrative: str
    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Returns the share of given labels that are right; None where none was given."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Returns the share of wanted labels that were given; None where none was wanted."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


def sample(content: bytes | None = None) -> list[Example]:
    """Returns a labelled sample from JSONL (`text`, `labels`); the one that ships, unless given."""
    if content is None:
        content = resources.files(__package__).joinpath("narratives_sample.jsonl").read_bytes()
    examples = []
    for row, line in enumerate(content.splitlines(), start=1):
        try:
            value = json.loads(line)
            examples.append(Example(str(value["text"]), frozenset(str(label) for label in value["labels"])))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidInput(
                f"line {row} of the sample was {line[:80]!r}", hint='expected {"text": "...", "labels": ["AI"]}'
            ) from error
    return examples


def evaluate(rules: Classifier, examples: Sequence[Example]) -> list[Score]:
    """Returns one score per narrative and one named `all`, which adds them up."""
    given = [(frozenset(rules.labels(example.text)), example.labels) for example in examples]
    scores = [
        Score(
            narrative,
            right=sum(narrative in got and narrative in wanted for got, wanted in given),
            wrong=sum(narrative in got and narrative not in wanted for got, wanted in given),
            missed=sum(narrative not in got and narrative in wanted for got, wanted in given),
        )
        for narrative in rules.narratives
    ]
    total = Score("all", *(sum(getattr(score, name) for score in scores) for name in ("right", "wrong", "missed")))
    return [*scores, total]
