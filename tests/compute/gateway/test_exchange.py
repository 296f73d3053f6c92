"""The gateway as a client of HTTP/1.1: what providers send is read as it is meant, and nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.compute.errors import Unreached
from mercato.compute.gateway.connections import Connections, public
from mercato.compute.gateway.exchange import HEAD_OCTETS
from mercato.compute.gateway.line import Patience
from mercato.compute.gateway.upstream import HttpLine
from mercato.core.secret import Secret

MOST = 1 << 20
PATIENCE = Patience(first=5, idle=5, total=10)
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nlate: header\r\n\r\n"
TILL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\nabcde"
Said = tuple[int, dict[str, str], bytes]


class Provider:
    """Answers each request on a connection with the next of its answers, piece by piece; then closes, if it shall. Once
    `most` were answered on a connection, it closes that as the next one comes, after `hint`."""

    def __init__(
        self, answers: Sequence[Sequence[bytes]], *, close: bool = False, most: int = 99, hint: bytes = b""
    ) -> None:
        self._answers, self._close, self._most, self._hint = list(answers), close, most, hint
        self.requests: list[bytes] = []
        self.connections = self.refused = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for _ in range(self._most):
                head = await reader.readuntil(b"\r\n\r\n")
                size = int((head.lower() + b"content-length: 0").partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(size))
                for piece in self._answers.pop(0):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if self._close:
                    return
            await reader.readuntil(b"\r\n\r\n")
            self.refused += 1
            writer.write(self._hint)
        except (asyncio.IncompleteReadError, ConnectionError, IndexError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(provider: Provider, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = await asyncio.start_server(provider, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()


async def said(line: HttpLine, body: bytes = b"{}", patience: Patience = PATIENCE) -> Said:
    reply = await line.open("/chat/completions", body, {"x-request-id": "r"}, deadline=patience)
    try:
        return reply.status, dict(reply.headers), b"".join([chunk async for chunk in reply.chunks()])
    finally:
        await reply.close()


def asked(
    provider: Provider,
    times: int = 1,
    tls: ssl.SSLContext | None = None,
    body: bytes = b"{}",
    patience: Patience = PATIENCE,
) -> list[Said]:
    """Returns what a provider says to some requests, one after the other."""

    async def go() -> list[Said]:
        async with served(provider, tls) as url, Connections(private=True) as connections:
            line = HttpLine(url, Secret("sk-it"), connections=connections, most=MOST)
            return [await said(line, body, patience) for _ in range(times)]

    return asyncio.run(go())


def test_a_request_goes_out_as_it_should_and_its_connection_is_kept() -> None:
    provider = Provider([[WHOLE], [CHUNKED], [WHOLE]])
    bodies = [body for _, _, body in asked(provider, 3)]

    assert (bodies, provider.connections) == ([b"{}", b"abcde", b"{}"], 1)
    head, _, body = provider.requests[0].partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    assert (first, body) == ("POST /v1/chat/completions HTTP/1.1", b"{}")
    assert {"authorization: Bearer sk-it", "x-request-id: r", "accept-encoding: identity", "content-length: 2"} <= set(
        rest
    )
    assert len([line for line in rest if line.startswith("host: 127.0.0.1:")]) == 1


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([WHOLE, CHUNKED, TILL_CLOSED]), st.lists(st.integers(1, 90), max_size=12))
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(answer: bytes, cuts: list[int]) -> None:
    places = [0, *sorted({cut for cut in cuts if cut < len(answer)}), len(answer)]
    pieces = [answer[start:end] for start, end in pairwise(places)]
    ((status, headers, body),) = asked(Provider([pieces], close=True))

    assert (status, body) == (200, b"{}" if answer is WHOLE else b"abcde")
    assert "late" not in headers


def test_a_word_in_between_is_not_the_answer() -> None:
    ((status, headers, body),) = asked(Provider([[b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", WHOLE]]))

    assert (status, headers, body) == (200, {"content-type": "application/json", "content-length": "2"}, b"{}")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"], "reset"),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"], "reset"),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n"], "reset"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc"], "protocol"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nabc"], "protocol"),
        ([b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"], "protocol"),
        ([b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"], "protocol"),
        ([b"HTTP/1.1 200 OK\r\nx: ", b"a" * HEAD_OCTETS, b"a" * HEAD_OCTETS], "protocol"),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", b"a" * HEAD_OCTETS, b"a" * 99], "protocol"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n", b"a" * 2_000_000], "size"),
        ([b"SSH-2.0-OpenSSH\r\n"], "protocol"),
        ([b""], "protocol"),
    ],
)
def test_what_is_no_answer_is_told_as_such(answer: list[bytes], why: str) -> None:
    with pytest.raises(Unreached) as refused:
        asked(Provider([answer], close=True))

    assert refused.value.why == why


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged", b"forged"])
def test_what_follows_an_answer_is_never_that_of_the_next_request(more: bytes) -> None:
    provider = Provider([[WHOLE + more], [WHOLE, more], [CHUNKED]])

    assert [body for _, _, body in asked(provider, 3)] == [b"{}", b"{}", b"abcde"]
    assert provider.connections > 1


@pytest.mark.parametrize(
    ("pieces", "patience", "why"),
    [
        ([], {"first": 0.05}, "first-byte"),
        ([], {"total": 0.05}, "total"),
        ([WHOLE[:-1]], {"idle": 0.05}, "idle"),
        ([WHOLE[:-1]], {"total": 0.3}, "total"),
    ],
)
def test_a_provider_has_its_time(pieces: list[bytes], patience: dict[str, float], why: str) -> None:
    with pytest.raises(Unreached) as refused:
        asked(Provider([pieces]), patience=Patience(**patience))

    assert refused.value.why == why


@pytest.mark.parametrize("body", [b"{}", b"x" * 5_000_000])
def test_a_kept_connection_that_is_closed_as_the_next_request_comes_is_followed_by_a_new_one(body: bytes) -> None:
    provider = Provider([[WHOLE], [CHUNKED], [WHOLE]], most=1)

    assert [said for _, _, said in asked(provider, 3, body=body)] == [b"{}", b"abcde", b"{}"]
    assert (provider.connections, provider.refused) == (3, 2)


def test_a_new_connection_that_is_closed_without_an_answer_is_not_followed_by_another() -> None:
    provider = Provider([], most=0)
    with pytest.raises(Unreached, match="no answer"):
        asked(provider)

    assert (provider.connections, provider.refused) == (1, 1)


def test_a_provider_that_closes_each_connection_is_asked_twice_and_no_more() -> None:
    provider = Provider([[WHOLE]], most=1)
    with pytest.raises(Unreached, match="no answer"):
        asked(provider, 2)

    assert (provider.connections, provider.refused) == (2, 1)


def test_an_answer_that_began_on_a_kept_connection_is_not_asked_for_again() -> None:
    provider = Provider([[WHOLE], [WHOLE]], most=1, hint=b"HTTP/1.1 ")
    with pytest.raises(Unreached):
        asked(provider, 2)

    assert (provider.connections, provider.refused) == (1, 1)


def test_a_kept_connection_on_which_no_answer_comes_in_time_is_not_followed_by_another() -> None:
    provider = Provider([[WHOLE], []])
    with pytest.raises(Unreached) as refused:
        asked(provider, 2, patience=Patience(first=0.2))

    assert (refused.value.why, provider.connections) == ("first-byte", 1)


def test_a_large_body_goes_out_whole() -> None:
    provider = Provider([[WHOLE]])
    asked(provider, body=b"x" * 5_000_000)

    assert provider.requests[0].endswith(b"\r\n\r\n" + b"x" * 5_000_000)


def test_nobody_is_reached_where_nobody_listens_or_the_address_is_not_public() -> None:
    async def go(private: bool, url: str) -> None:
        async with Connections(private=private) as connections:
            await said(HttpLine(url, Secret(""), connections=connections, most=MOST))

    with pytest.raises(Unreached) as refused:
        asyncio.run(go(True, "http://127.0.0.1:1/v1"))
    assert refused.value.why == "connect"
    with pytest.raises(Unreached) as refused:
        asyncio.run(go(False, "http://127.0.0.1:1/v1"))
    assert refused.value.why == "private"
    assert not public("127.0.0.1")


def test_no_header_can_carry_another_one() -> None:
    async def go(work: Callable[[HttpLine], Awaitable[object]]) -> None:
        async with Connections(private=True) as connections, served(Provider([[WHOLE]])) as url:
            await work(HttpLine(url, Secret(""), connections=connections, most=MOST))

    with pytest.raises(Unreached, match="plain text"):
        asyncio.run(go(lambda line: line.open("/x", b"{}", {"x-a": "b\r\nx-c: d"}, deadline=Patience())))
    with pytest.raises(Unreached, match="plain text"):
        HttpLine("http://127.0.0.1/v1", Secret("sk\r\nx: y"), connections=None, most=1)  # type: ignore[arg-type]  # is not used before


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Returns a server's context for 127.0.0.1, and the file of the certificate that it shows."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "it")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    shown, hidden = folder / "it.pem", folder / "it.key"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    forms = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    hidden.write_bytes(key.private_bytes(serialization.Encoding.PEM, *forms))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, hidden)
    return context, shown


def test_a_certificate_has_to_be_one_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, shown = certified(tmp_path)
    with pytest.raises(Unreached) as refused:
        asked(Provider([[WHOLE]]), tls=context)
    assert refused.value.why == "tls"

    monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    assert asked(Provider([[WHOLE], [WHOLE]]), 2, tls=context)[1][2] == b"{}"
