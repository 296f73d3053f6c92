"""The gateway on a socket that another program opened: one worker, or the process that looks after several.

python -P -m mercato.compute.worker SOCKET ORDERS [NUMBER]
"""

from __future__ import annotations

import os
import socket
import sys

from mercato.compute.orders import Orders
from mercato.compute.starting import crew, here
from mercato.core.errors import MercatoError


def main(place: int, handle: int, number: int | None = None) -> None:
    """Serves on the socket with this handle, by the orders with the other one; `number` is this worker's among several,
    None for the process that was there first."""
    orders, listening = Orders.read(handle), socket.socket(fileno=place)
    if number is None and orders.compute.workers > 1:
        _say(listening)
        crew(listening, handle, orders.compute.workers)
        return
    os.close(handle)
    from mercato.compute.opening import run  # who looks after workers does without it

    try:
        run(orders, listening, number=number or 0, ready=lambda: _say(listening) if number is None else None)
    except MercatoError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
        sys.exit(2 if isinstance(error, ValueError | LookupError) else 1)


def _say(place: socket.socket) -> None:
    sys.stdout.write(f"Mercato's gateway is at http://{here(place)}/v1\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
