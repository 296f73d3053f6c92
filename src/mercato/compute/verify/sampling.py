"""Which answers are audited: by a secret that the gateway commits to before an epoch and reveals after it.

The draw is HMAC-SHA-256 of the receipt's hash under the epoch's secret. A provider cannot foresee it, as it does not
know the secret; the gateway cannot choose it, as the secret was fixed before and the receipt binds what was served.
Afterwards anyone can compute every draw again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

TOP = 1 << 64
BYTES = 32
LABEL = b"mercato compute audit 1\0"


@dataclass(frozen=True, slots=True)
class Secret:
    """The secret of one epoch; it shows neither in print nor in logs."""

    epoch: int
    value: bytes = field(repr=False)

    @classmethod
    def draw(cls, epoch: int, entropy: Callable[[int], bytes]) -> Secret:
        """Returns a fresh secret; `entropy` gives so many random bytes, in production `os.urandom`."""
        return cls(epoch, entropy(BYTES))

    @property
    def commitment(self) -> str:
        """What is published before the epoch: SHA-256 of label, epoch and secret, as hexadecimal text."""
        return sha256(LABEL + self.epoch.to_bytes(8) + self.value).hexdigest()


def chosen(secret: Secret, receipt_hash: str, share: float) -> bool:
    """Whether the answer of a receipt is audited where a share of answers is. A larger share chooses no fewer."""
    digest = hmac.digest(secret.value, LABEL + receipt_hash.encode(), "sha256")
    return int.from_bytes(digest[:8]) < share * TOP


def opens(secret: Secret, commitment: str) -> bool:
    """Whether a revealed secret is what was committed to."""
    return hmac.compare_digest(secret.commitment, commitment)
