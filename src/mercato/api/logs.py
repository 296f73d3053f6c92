"""Structured logs: readable lines on a terminal, one JSON object per line for machines."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


def configure(style: Literal["console", "json"] | str = "console", level: int = logging.INFO) -> None:
    """Sets how every room logs, and makes the server's own log pass the same way."""
    colours = sys.stderr.isatty()
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=colours)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
