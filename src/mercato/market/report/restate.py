"""Last report's figures, asked again with what is known today: what was restated, and by how much."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from mercato.market.metrics.base import Sheet
from mercato.market.metrics.numbers import plain
from mercato.market.model import Figure, InputSet, Query, Result
from mercato.market.report.snapshot import Snapshot

DEFINITION = "restatement/1"
FORMULA = (
    "For every figure of the report before with a number: change = value now / value published - 1, on the same as-of "
    "day and definition, with the inputs known now. Restated where the two differ; large above 1 %."
)
LARGE = Decimal("0.01")

Key = tuple[str, str, tuple[tuple[str, str], ...]]


def restate(before: Snapshot, now: Mapping[str, Result], query: Query) -> Result:
    """Returns the figures of the restatement of what the report `before` cited, by the same questions asked now.

    `now` holds results by the names of the plan; the as-of day of `query` is that of `before`.
    """
    fresh = {_key(key, item): item for key, result in now.items() for item in result.figures}
    published = {
        _key(key, item): item
        for key, result in before.book.results.items()
        for item in result.figures
        if item.id in before.report.figures and _number(item) is not None
    }
    pairs = [(old, fresh[key]) for key, old in published.items() if key in fresh]
    results = list(now.values())
    sheet = Sheet("restatement", DEFINITION, query, _inputs(pairs, results))
    moved = [(old, new, _change(old, new)) for old, new in pairs if old.value != new.value]
    changes = [change for _, _, change in moved if change is not None]
    large = [change for change in changes if abs(change) > LARGE]
    sheet.add("compared", str(len(pairs)), "count")
    sheet.add("restated", str(len(moved)), "count")
    sheet.add("restated-large", str(len(large)), "count")
    sheet.add("largest", _largest(pairs, changes), "ratio", flags=[] if pairs else ["nothing-to-compare"])
    sheet.add("threshold", str(LARGE), "ratio")
    _grid(sheet, moved)
    return sheet.result(flags=[] if pairs else ["nothing-to-compare"])


def _key(question: str, item: Figure) -> Key:
    return question, item.name, tuple(sorted(item.dims.items()))


def _number(item: Figure) -> Decimal | None:
    """Returns the value as a number where it is a finite one."""
    try:
        value = Decimal(item.value or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _change(old: Figure, new: Figure) -> Decimal | None:
    """Returns the relative change; None where it cannot be said, as from zero or to unknown."""
    before, after = _number(old), _number(new)
    return after / before - 1 if before and after is not None else None


def _largest(pairs: Sequence[tuple[Figure, Figure]], changes: Sequence[Decimal]) -> str | None:
    if not pairs:
        return None
    return plain(max((abs(change) for change in changes), default=Decimal(0)))


def _grid(sheet: Sheet, moved: Sequence[tuple[Figure, Figure, Decimal | None]]) -> None:
    ordered = sorted(moved, key=lambda item: (-abs(item[2] or Decimal(0)), _key(item[0].metric, item[0])))
    rows = [
        (f"{old.metric}/{old.name}", ", ".join(old.dims.values()), old.value, new.value, old.unit, plain(change),
         old.id, new.id)
        for old, new, change in ordered
    ]  # fmt: skip
    columns = ("figure", "of", "published", "now", "unit", "change", "published_id", "now_id")
    sheet.grid("figures", columns, ("", "", "", "", "", "ratio", "", ""), rows)


def _inputs(pairs: Sequence[tuple[Figure, Figure]], results: Sequence[Result]) -> InputSet:
    """Returns the input set: the published and the new figures stand behind the comparison, with all their bytes."""
    ids = sorted(f"{old.id}/{new.id}" for old, new in pairs)
    shas = sorted({sha for result in results for sha in result.inputs.raw_shas})
    universe = results[0].inputs.universe if results else ""
    digest = hashlib.sha256("\n".join([*ids, *shas]).encode()).hexdigest()
    return InputSet(digest, tuple(shas), universe, sum(result.inputs.rows for result in results))
