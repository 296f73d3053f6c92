"""Canaries whose answers are known beforehand: questions at temperature 0 with what a right answer is.

An operator writes them, or has a trusted engine answer fresh questions once; no reference is needed to judge them. They
lie in a file of the data folder, a JSON object on each line:

    {"id": "capital", "model": "llama-3.1-8b", "messages": [{"role": "user", "content": "…"}], "max_tokens": 8,
     "accept": ["Paris"], "check": "prefix"}

`check` is `exact`, the same text but for space around it; `prefix`, a beginning of the answer; or `json`, the same
value. Such an answer is right or wrong: one that an honest machine may put otherwise makes no good canary.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mercato.compute.verify.match import Cut
from mercato.core.errors import ConfigError
from mercato.core.events import Json

MOST_OCTETS, MOST_CANARIES = 16 << 20, 100_000
CHECKS = ("exact", "prefix", "json")
Check = Literal["exact", "prefix", "json"]
FIELDS = {"id": str, "model": str, "messages": list, "max_tokens": int, "accept": list, "check": str}


@dataclass(frozen=True, slots=True)
class Canary:
    """A question, and which answers are right."""

    id: str
    model: str
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    accept: Sequence[Json]
    check: Check = "exact"

    def right(self, answer: str) -> bool:
        """Whether an answer is right. JSON that cannot be read is wrong."""
        if self.check == "json":
            try:
                value = json.loads(answer)
            except (ValueError, RecursionError):
                return False
            return any(_same(value, one) for one in self.accept)
        said = answer.strip()
        texts = [one.strip() for one in self.accept if isinstance(one, str)]
        return said in texts if self.check == "exact" else said.startswith(tuple(texts))

    def line(self) -> str:
        """Returns it as a line of the file."""
        body = {
            "id": self.id, "model": self.model, "messages": list(self.messages), "max_tokens": self.max_tokens,
            "accept": list(self.accept), "check": self.check,
        }  # fmt: skip
        return json.dumps(body, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a canary: whether the answer was right. Nothing explains a wrong one."""

    canary: str
    right: bool

    method = "known-answer"

    @property
    def tells(self) -> bool:
        """Whether it can be judged: always."""
        return True

    @property
    def hopeless(self) -> bool:
        """Whether it is beyond what noise of any hardware does."""
        return not self.right

    def fails(self, cut: Cut) -> bool:
        """Whether the answer is wrong."""
        return not self.right

    def body(self) -> dict[str, Json]:
        """Returns what an audit keeps of it."""
        return {"canary": self.canary}


class Known:
    """All canaries of an installation, found again by their question."""

    def __init__(self, canaries: Iterable[Canary] = ()) -> None:
        self._all = {_question(it.model, it.messages): it for it in canaries}
        self._models: defaultdict[str, list[Canary]] = defaultdict(list)
        for it in self._all.values():
            self._models[it.model].append(it)

    def of(self, model: str, *, but: frozenset[str] = frozenset()) -> list[Canary]:
        """Returns those for a model, without some by their names."""
        return [it for it in self._models.get(model, ()) if it.id not in but]

    def models(self) -> dict[str, int]:
        """Returns how many there are for each model."""
        return {name: len(held) for name, held in sorted(self._models.items())}

    def found(self, model: str, body: Mapping[str, Any]) -> Canary | None:
        """Returns the one that a question is; None where that is none of these."""
        return self._all.get(_question(model, body.get("messages", [])))

    def judged(self, model: str, body: Mapping[str, Any], answer: str) -> Reply | None:
        """Returns whether the answer to a question is right; None where that is none of these."""
        found = self.found(model, body)
        return None if found is None else Reply(found.id, found.right(answer))


def read(path: Path) -> Known:
    """Returns the canaries in a file; ConfigError says which line is wrong."""
    try:
        if path.stat().st_size > MOST_OCTETS:
            raise ConfigError(f"canaries {str(path)!r} were larger than {MOST_OCTETS} octets", hint="keep fewer")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"canaries {str(path)!r} were not readable: {error!s:.120}", hint="UTF-8 text") from None
    found = [_canary(text, f"line {at} of {path.name}") for at, text in enumerate(lines, 1) if text.strip()]
    if len(found) > MOST_CANARIES:
        raise ConfigError(f"canaries were {len(found)}", hint=f"keep at most {MOST_CANARIES}")
    questions = [_question(it.model, it.messages) for it in found]
    for names, what in (([it.id for it in found], "id"), (questions, "question")):
        if twice := sorted(name for name, count in Counter(names).items() if count > 1):
            raise ConfigError(f"{what} was there twice: {twice[0][:80]!r}", hint="each canary once")
    return Known(found)


def _canary(text: str, where: str) -> Canary:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ConfigError(f"{where} was no JSON object: {text[:60]!r}", hint="one object on each line")
    body = {"max_tokens": 64, "check": "exact", **body}
    for name, kind in FIELDS.items():
        if not isinstance(body.get(name), kind) or not body[name]:
            raise ConfigError(f"{name} was {str(body.get(name))[:60]!r} in {where}", hint=f"expected {kind.__name__}")
    if unknown := sorted(set(body) - set(FIELDS)):
        raise ConfigError(f"{where} had the field {unknown[0][:60]!r}", hint=f"known are {', '.join(FIELDS)}")
    if body["check"] not in CHECKS:
        raise ConfigError(f"check was {body['check'][:60]!r} in {where}", hint=f"one of {', '.join(CHECKS)}")
    texts = body["check"] == "json" or all(isinstance(it, str) and it.strip() for it in body["accept"])
    if not texts or not all(isinstance(it, dict) for it in body["messages"]):
        raise ConfigError(f"accept or messages were wrong in {where}", hint="texts to accept, and messages as objects")
    return Canary(**body)


def _question(model: str, messages: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([model, messages], sort_keys=True)


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, where 1 is not true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
