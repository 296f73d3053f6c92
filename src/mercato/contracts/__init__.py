"""The contracts room: Vyper sources and what the build made of them.

`load("auction")` gives a contract's ABI and bytecode; sources lie beside this file, artefacts in `artifacts/`.
"""

from mercato.contracts.artefact import Artifact, load, names

__all__ = ["Artifact", "load", "names"]
