"""The session of a request: the cookie, the middleware that knows whose it is, and the routes that begin and end it.

Requests that change something are refused by `SameOrigin` where the page of another site sends them, and the cookie
is SameSite=Lax besides.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mercato.api.signin import LIFETIME, SignIn, SignInClosed
from mercato.core.settings import Secret

COOKIE = "mercato-session"
_LONGEST_TOKEN = 128


class SessionMiddleware:
    """Sets `request.state.account` to the lower-case address that is signed in, or to "" where nobody is."""

    def __init__(self, app: ASGIApp, signin: SignIn) -> None:
        self.app, self.signin = app, signin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] == "http":
            token = token_of(HTTPConnection(scope))
            account = await run_in_threadpool(self.signin.account, token) if token else None
            scope.setdefault("state", {})["account"] = account or ""
        await self.app(scope, receive, send)


class Asked(BaseModel):
    """Who wants to sign in."""

    account: Annotated[str, Field(max_length=64, description="the address of the account")]


class Challenge(BaseModel):
    """What the wallet is to sign by `personal_sign`, to the letter."""

    message: str


class Signed(BaseModel):
    """The message with its signature."""

    message: Annotated[str, Field(max_length=4000)]
    signature: Annotated[str, Field(max_length=20_000, pattern="^0x([0-9a-fA-F]{2})*$", description="hexadecimal")]


class Present(BaseModel):
    """Who is signed in: the lower-case address, or null."""

    account: str | None


def token_of(request: HTTPConnection) -> Secret | None:
    """Returns the token that the request's cookie carries; None where there is none that could be ours."""
    value = request.cookies.get(COOKIE, "")
    return Secret(value) if 0 < len(value) <= _LONGEST_TOKEN else None


def router(signin: SignIn, *, named: bool = True) -> APIRouter:
    """Returns the routes under /api/session.

    `named` says that only requests to known names come this far: the name that is called becomes the domain of the
    message, so where any name will do, a copy of the site could pass messages on. No session begins there.
    """
    routes = APIRouter(prefix="/api/session", tags=["session"])

    @routes.get("", summary="Who is signed in")
    def present(request: Request) -> Present:
        return Present(account=request.state.account or None)

    @routes.post("/challenge", summary="A message to sign in with")
    def challenge(request: Request, asked: Asked) -> Challenge:
        _need_name(named)
        url = request.url
        uri = f"{url.scheme}://{url.netloc}/"
        return Challenge(message=signin.challenge(asked.account, domain=url.netloc, uri=uri))

    @routes.post("", summary="Begin a session", status_code=201)
    def begin(request: Request, signed: Signed) -> Response:
        _need_name(named)
        session = signin.begin(signed.message, bytes.fromhex(signed.signature[2:]), domain=request.url.netloc)
        answer = JSONResponse({"account": session.account}, 201)
        answer.set_cookie(
            COOKIE, session.token.reveal(), max_age=int(LIFETIME.total_seconds()), httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    @routes.delete("", summary="End the session", status_code=204)
    def end(request: Request) -> Response:
        if token := token_of(request):
            signin.end(token)
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    return routes


def _need_name(named: bool) -> None:
    if not named:
        hint = 'name this site in the settings: MERCATO_API_HOSTS=["mercato.example"]'
        raise SignInClosed("sign-in was asked of a server that answers to any name", hint=hint)
