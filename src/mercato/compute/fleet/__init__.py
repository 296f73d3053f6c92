"""A fleet that is not real: a toy language model, providers of every behaviour, and a simulator. Offline, seeded."""

from mercato.compute.fleet.behaviour import Behaviour, Manner

__all__ = ["Behaviour", "Manner"]
