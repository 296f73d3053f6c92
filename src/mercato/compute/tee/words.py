"""Words of attestation: what a quote measured, what an operator accepts, and what was found. Nothing here does I/O.

Hashes of measurements are SHA-384, as 96 hexadecimal digits in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mercato.compute.model import ProviderId
from mercato.core.events import Json

FEATURE = "tee"  # of an offer: the node says that it is in a trusted machine, and passes on what proves it
UP_TO_DATE = "UpToDate"
NONCE = 32  # octets


class Level(StrEnum):
    """How much was proven, in rising order."""

    NOTHING = "none"
    HARDWARE = "hardware"  # a genuine machine holds the key that signs; what else runs there, nobody here knows
    ATTESTED = "attested"  # besides, it runs software that the operator of this gateway accepts


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that an enclave signs answers with: an Ethereum address (`ecdsa`), or an Ed25519 key (`ed25519`)."""

    algorithm: str
    key: bytes

    @property
    def name(self) -> str:
        """Returns the key as text, such as `ecdsa:00…`."""
        return f"{self.algorithm}:{self.key.hex()}"

    @classmethod
    def named(cls, text: str) -> Signer:
        """Returns a key by what `name` gave."""
        algorithm, _, key = text.partition(":")
        return cls(algorithm, bytes.fromhex(key))


@dataclass(frozen=True, slots=True)
class Measured:
    """What a quote says whose chain of signatures leads to the maker of the processor.

    `status` and `advisories` are the maker's word on the platform's microcode and modules. `rtmr` are four, `config` is
    what the host configured, and `data` are the 64 octets that the machine itself put in.
    """

    version: int
    status: str
    advisories: tuple[str, ...]
    mrtd: str
    rtmr: tuple[str, ...]
    config: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Software:
    """Measurements that an operator accepts under a name, for some `models`, or for any. An empty one is not
    compared."""

    name: str
    mrtd: str
    rtmr: tuple[str, ...]
    config: str = ""
    models: frozenset[str] = frozenset()

    def runs(self, found: Measured) -> bool:
        """Whether it is this software that was measured."""
        wanted, seen = (self.mrtd, *self.rtmr, self.config), (found.mrtd, *found.rtmr, found.config)
        return all(not one or one == other for one, other in zip(wanted, seen, strict=True))


@dataclass(frozen=True, slots=True)
class Policy:
    """What is taken: the platform's status, advisories that are known of and lived with, and software."""

    statuses: frozenset[str] = frozenset({UP_TO_DATE})
    advisories: frozenset[str] = frozenset()
    software: tuple[Software, ...] = ()

    def objection(self, found: Measured) -> str:
        """Returns why a platform is not taken, "" where it is."""
        if found.status not in self.statuses:
            return f"platform was {found.status!r}, which the settings do not take"
        open_ = sorted(set(found.advisories) - self.advisories)
        return f"platform was open to {', '.join(open_)}, which the settings do not take" if open_ else ""

    def named(self, found: Measured) -> str:
        """Returns the name of the accepted software that was measured, "" for none."""
        return next((one.name for one in self.software if one.runs(found)), "")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found of one provider and model, and until when it is taken. `why` says it for people.

    `evidence` holds what was shown, for whoever wants to check it again; it is not read back by this program. `gpu`
    says what is known of the accelerators.
    """

    provider: ProviderId
    model: str
    at: datetime
    until: datetime
    level: Level
    why: str
    nonce: str
    software: str = ""
    status: str = ""
    gpu: str = ""
    signers: tuple[Signer, ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Json]:
        """Returns as JSON what everybody may know."""
        return {
            "level": self.level.value, "at": self.at.isoformat(), "until": self.until.isoformat(), "why": self.why,
            "software": self.software or None, "status": self.status or None, "gpu": self.gpu or None,
            "signers": [one.name for one in self.signers],
        }  # fmt: skip
