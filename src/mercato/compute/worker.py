"""One of several workers of the gateway, on a socket that another process opened.

python -m mercato.compute.worker HANDLE NUMBER
"""

from __future__ import annotations

import socket
import sys

from mercato.compute.installation import SECTIONS
from mercato.compute.opening import run
from mercato.core.settings import load


def main(handle: int, number: int) -> None:
    """Serves on the socket with this handle, as the worker of this number."""
    settings = load(*SECTIONS, partial=True)
    run(settings, socket.socket(fileno=handle), say=lambda text: None, number=number)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
