"""How a worker listens to WebSockets: by uvicorn's own protocol, but for how they end."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LEAVE = "mercato.leave"


class Tunnelled(WebSocketsSansIOProtocol):
    """Tells the application that the worker ends, and lets it close a WebSocket when nothing is under way in it:
    uvicorn would close it at once, and cut every answer that comes through it."""

    def shutdown(self) -> None:
        """Says that the worker ends; before the handshake it does as uvicorn does."""
        if self.handshake_complete and not self.close_sent:
            waiting: Any = self.queue  # of ASGI's own messages, by its type; this one is ours
            waiting.put_nowait({"type": LEAVE})
        else:
            super().shutdown()
