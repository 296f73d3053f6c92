"""The floor: aiohttp passes bytes on, with no key, no route, no count and no books."""

from __future__ import annotations

import sys

from aiohttp import ClientSession, TCPConnector, web


async def carry(request: web.Request) -> web.StreamResponse:
    """Passes a request to the upstream and its answer back, piece by piece."""
    session: ClientSession = request.app["session"]
    async with session.request(
        request.method, request.app["upstream"] + request.path, data=await request.read(),
        headers={"content-type": "application/json"},
    ) as reply:  # fmt: skip
        answer = web.StreamResponse(status=reply.status, headers={"content-type": reply.headers["content-type"]})
        if "content-length" in reply.headers:
            answer.content_length = int(reply.headers["content-length"])
        await answer.prepare(request)
        async for piece in reply.content.iter_any():
            await answer.write(piece)
        await answer.write_eof()
        return answer


async def opened(app: web.Application) -> None:
    """Opens the connections to the upstream."""
    app["session"] = ClientSession(connector=TCPConnector(limit=0))


def main(port: int, upstream: str) -> None:
    """Serves until the process ends."""
    app = web.Application()
    app["upstream"] = upstream
    app.on_startup.append(opened)
    app.router.add_route("*", "/{path:.*}", carry)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
