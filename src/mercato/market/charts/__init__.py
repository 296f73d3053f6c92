"""Charts as plain SVG, drawn on the server: they need no script, scale to any width and follow the page's colours.

A chart has no viewBox of its own: positions across are percentages, so text keeps its size on a phone. Only the marks
sit in a stretched inner drawing. Every chart says in words what it shows, and pages put its table and CSV beside it.
"""

from mercato.market.charts.bars import Bar, columns, intervals, ranks
from mercato.market.charts.series import Line, lines, stack, underwater

__all__ = ["Bar", "Line", "columns", "intervals", "lines", "ranks", "stack", "underwater"]
