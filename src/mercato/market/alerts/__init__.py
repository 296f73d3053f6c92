"""Alerts: declared rules over figures, one state machine for all of them, and deliveries that happen once.

A rule sees one sample per close. `machine.TRANSITIONS` decides everything; an episode is told at its start and its
end, on the page, by webhook and in the log.
"""

from mercato.market.alerts.model import Alert, Condition, Effect, Memory, Rule, Sample, Signal, State

__all__ = ["Alert", "Condition", "Effect", "Memory", "Rule", "Sample", "Signal", "State"]
