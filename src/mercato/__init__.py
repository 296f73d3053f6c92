"""Mercato: the open, self-hosted market for tokenized open-source AI agents."""

__version__ = "0.1.0"
