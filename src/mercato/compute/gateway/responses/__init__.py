"""The Responses API, served by any provider of chat completions: requests turned into chats, chats into responses.

A response is whole in itself: nothing is kept for a later one, so `previous_response_id` and `store` are refused.
"""

from mercato.compute.gateway.responses.reading import ask
from mercato.compute.gateway.responses.writing import Response

__all__ = ["Response", "ask"]
