"""The market room: how large, how concentrated and how alive the tokenized AI sector is, with each figure traced.

Raw bytes are kept as they came; parsers turn them into observations, a rule picks the best of each day, metrics are
ibis expressions over that panel, and every number carries an id that leads back to the bytes.
"""

from mercato.market.model import Asset, Figure, Grid, Query, RawDocument, Result

__all__ = ["Asset", "Figure", "Grid", "Query", "RawDocument", "Result"]
