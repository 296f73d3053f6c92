"""The engines' own functions that ibis has no name for, or translates into something slower."""

from __future__ import annotations

from datetime import date, datetime

import ibis

# ibis ships no types, so each decorator needs its excuse; the bodies are never run, the engine's function is.


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator] # ibis is untyped
def epoch_us(time: datetime) -> int:
    """Returns microseconds since 1970 without asking a calendar (DuckDB)."""
    raise NotImplementedError


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator] # ibis is untyped
def divide(value: int, by: int) -> int:
    """Returns the whole quotient; ibis's own goes through floats (DuckDB)."""
    raise NotImplementedError


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator] # ibis is untyped
def make_date(days: int) -> date:
    """Returns the date so many days after 1970-01-01 (DuckDB)."""
    raise NotImplementedError


@ibis.udf.agg.builtin  # type: ignore[untyped-decorator] # ibis is untyped
def max_by(value: float, by: datetime) -> float:
    """Returns the value of the row with the greatest `by`; ibis's argmax sorts every group instead."""
    raise NotImplementedError


@ibis.udf.agg.builtin(name="max_by")  # type: ignore[untyped-decorator] # ibis is untyped
def value_of_last(value: float, day: date) -> float:
    """Returns the value of the latest day."""
    raise NotImplementedError


@ibis.udf.agg.builtin(name="max_by")  # type: ignore[untyped-decorator] # ibis is untyped
def text_of_last(value: str, day: date) -> str:
    """Returns the text of the latest day."""
    raise NotImplementedError
