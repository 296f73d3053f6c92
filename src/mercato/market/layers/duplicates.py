"""Finds a second observation of the same asset, field and time in one document. The first one stays.

Files of any length are checked in the memory of one batch: as long as each asset's times only grow from batch to
batch, no later batch can repeat an earlier one. Where they do not, `suspect` asks for one look at the whole file.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mercato.market.layers.validate import KEPT_PER_REASON, Refusals, excerpt

KIND = "duplicate"


class Duplicates:
    """Remembers the last time of each (asset, field, publication time) that went by."""

    def __init__(self) -> None:
        self._codes: dict[tuple[object, object, object], int] = {}
        self._last = np.empty(0, np.int64)
        self.suspect = False

    def drop(self, rows: pa.Table, refusals: Refusals) -> pa.Table:
        """Returns the rows without repeats inside this batch, which go to `refusals`."""
        if not rows.num_rows:
            return rows
        keys = self._keys(rows)
        times = rows["valid_time"].cast(pa.int64()).combine_chunks().to_numpy()
        repeated, first = _repeats(keys, times)
        self._remember(keys, times)
        if not repeated.size:
            return rows
        _note(rows, repeated, first, refusals)
        keep = np.ones(rows.num_rows, bool)
        keep[repeated] = False
        return rows.filter(pa.array(keep))

    def _keys(self, rows: pa.Table) -> np.ndarray:
        columns = [pc.dictionary_encode(rows[name].combine_chunks()) for name in ("asset_id", "field", "observed_at")]
        codes, lists = [], []
        for column in columns:
            codes.append(pc.fill_null(column.indices, len(column.dictionary)).to_numpy(zero_copy_only=False))
            lists.append([*column.dictionary.to_pylist(), None])
        packed = (codes[0].astype(np.int64) * len(lists[1]) + codes[1]) * len(lists[2]) + codes[2]
        distinct, inverse = _distinct(packed)
        known = np.empty(len(distinct), np.int64)
        for place, number in enumerate(distinct.tolist()):
            rest, third = divmod(number, len(lists[2]))
            first, second = divmod(rest, len(lists[1]))
            key = (lists[0][first], lists[1][second], lists[2][third])
            known[place] = self._codes.setdefault(key, len(self._codes))
        keys: np.ndarray = known[inverse]
        return keys

    def _remember(self, keys: np.ndarray, times: np.ndarray) -> None:
        size = len(self._codes)
        grown = np.full(size, np.iinfo(np.int64).min)
        grown[: len(self._last)] = self._last
        low = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(low, keys, times)
        self.suspect = self.suspect or bool(np.any(low <= grown))
        np.maximum.at(grown, keys, times)
        self._last = grown


def _distinct(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct numbers in order of appearance, and the place of each number among them."""
    encoded = pa.array(packed).dictionary_encode()
    return encoded.dictionary.to_numpy(), encoded.indices.to_numpy()


def _repeats(keys: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places of repeated rows, and of the first row that each repeats."""
    none = np.empty(0, np.int64)
    same_time, same_key = times[1:] == times[:-1], keys[1:] == keys[:-1]
    by_time = (times[1:] > times[:-1]) | (same_time & (keys[1:] > keys[:-1]))
    by_key = (keys[1:] > keys[:-1]) | (same_key & (times[1:] > times[:-1]))
    if by_time.all() or by_key.all():
        return none, none
    order = np.lexsort((times, keys))
    again = (keys[order][1:] == keys[order][:-1]) & (times[order][1:] == times[order][:-1])
    if not again.any():
        return none, none
    starts = np.concatenate(([True], ~again))
    first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    places = np.flatnonzero(~starts)
    by_row = np.argsort(order[places], kind="stable")
    return order[places][by_row], order[first[places]][by_row]


def _note(rows: pa.Table, repeated: np.ndarray, first: np.ndarray, refusals: Refusals) -> None:
    room = max(0, KEPT_PER_REASON - refusals.counts.get(KIND, 0))
    seconds = rows.take(pa.array(repeated[:room])).to_pylist()
    firsts = rows.take(pa.array(first[:room])).to_pylist()
    for second, kept in zip(seconds, firsts, strict=True):
        refusals.add(KIND, second["row"] or 0, reason(second["value"], kept["value"], kept["row"]), excerpt(second))
    refusals.counts[KIND] = refusals.counts.get(KIND, 0) + len(repeated) - len(seconds)


def reason(value: float, kept: float, row: int) -> str:
    """Returns why a repeated row is refused: identical to the first, or in conflict with it."""
    if value == kept:
        return f"{KIND}: identical to row {row}"
    return f"{KIND}: value was {value!r}, in conflict with {kept!r} of row {row}, which stays"
