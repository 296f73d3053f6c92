"""The API floor: the application with its errors, limits, health, metrics and the live hub.

`create` builds a FastAPI application; rooms add their routers to it in `mercato.app`. Nothing here knows a room.
"""

from mercato.api.factory import Limits, create, operations
from mercato.api.health import Check, Health
from mercato.api.hub import Hub, Message, Subscription
from mercato.api.metrics import Metrics
from mercato.api.pulse import Pulse
from mercato.api.relay import Fragment, Relay, Renderer

__all__ = [
    "Check",
    "Fragment",
    "Health",
    "Hub",
    "Limits",
    "Message",
    "Metrics",
    "Pulse",
    "Relay",
    "Renderer",
    "Subscription",
    "create",
    "operations",
]
