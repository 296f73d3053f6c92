"""JSON-RPC 2.0 over HTTP to a node: one question or a batch, with limits on time and size, its errors as ours.

What a node says is data: it is shown shortened and quoted. The address is not shown beyond its host, since providers
put their keys into it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from mercato.chains.abi import reason
from mercato.chains.errors import BadAnswer, BadCall, Reverted, Unreachable
from mercato.core.errors import MercatoError
from mercato.core.settings import Secret

Question = tuple[str, list[Any]]
Translation = Callable[[Any, str, str], MercatoError]
"""What a node's error is of ours, given what it told, its host and the method."""

NO_METHOD = -32601  # JSON-RPC 2.0
TOO_MANY = 429  # RFC 6585
#: What nodes say of a transaction that cannot be right, whoever sends it again.
_REFUSALS = (
    "nonce too", "insufficient funds", "intrinsic gas", "exceeds block gas", "invalid sender", "invalid signature",
    "invalid chain id", "already known", "underpriced", "fee cap", "max fee per gas", "sender not an eoa",
)  # fmt: skip


class Endpoint:
    """A node's address. `seconds` bounds one answer, `octets` its size. Safe for threads; `close` it at the end.

    `errors` turns a node's errors into ours; those of EVM nodes, unless something else is given.
    """

    def __init__(
        self, url: Secret, *, seconds: float = 10.0, octets: int = 32_000_000, errors: Translation | None = None
    ) -> None:
        import httpx

        self._errors = errors or _error

        self._httpx, self._url, self._numbers = httpx, url, count(1)
        self._seconds, self._octets = seconds, octets
        try:
            self.host = httpx.URL(url.reveal()).host
        except httpx.InvalidURL:
            self.host = ""
        if not self.host:
            raise BadCall("address of the node was not a URL", hint="expected one like http://127.0.0.1:8545")
        # Nothing packed: what arrives is as large as it says. No redirects: they lead to hosts nobody named.
        headers = {"accept-encoding": "identity", "content-type": "application/json"}
        self._client = httpx.Client(timeout=seconds, headers=headers, follow_redirects=False, trust_env=False)

    def ask(self, method: str, *params: Any) -> Any:
        """Returns the node's answer to one question.

        Raises Reverted, BadCall for a transaction that cannot be right, BadAnswer for any other error of the node, and
        Unreachable where there was no answer in time.
        """
        number = next(self._numbers)
        return self._result(self._post(_question(number, method, list(params))), number, method)

    def batch(self, questions: Sequence[Question]) -> list[Any]:
        """Returns the answers to several questions, asked in one request; an error of any is raised."""
        found = self.tried(questions)
        for answer in found:
            if isinstance(answer, MercatoError):
                raise answer
        return found

    def tried(self, questions: Sequence[Question]) -> list[Any]:
        """Returns the answers to several questions, asked in one request; errors stand in place of their answers."""
        numbers = [next(self._numbers) for _ in questions]
        asked = [_question(number, *question) for number, question in zip(numbers, questions, strict=True)]
        answers = self._post(asked)
        if not isinstance(answers, list) or not all(isinstance(item, dict) for item in answers):
            raise BadAnswer(f"{self.host} answered a batch with {answers!r:.200}", hint="does it take batches?")
        by_number = {item["id"]: item for item in answers if isinstance(item.get("id"), int)}
        found: list[Any] = []
        for number, (method, _) in zip(numbers, questions, strict=True):
            try:
                found.append(self._result(by_number.get(number), number, method))
            except MercatoError as error:
                found.append(error)
        return found

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _post(self, asked: Any) -> Any:
        end = time.monotonic() + self._seconds
        try:
            with self._client.stream("POST", self._url.reveal(), content=json.dumps(asked)) as response:
                status, packed = response.status_code, response.headers.get("content-encoding", "identity")
                body = self._body(response.iter_raw(), end) if packed == "identity" else b""
        except self._httpx.HTTPError as error:
            # The message of an HTTP error may hold the address, and with it a key.
            raise Unreachable(f"{self.host} did not answer: {type(error).__name__}", hint="is the node up?") from None
        if packed != "identity":
            raise BadAnswer(f"{self.host} packed its answer as {packed!r:.40}", hint="nothing packed was asked for")
        if status == TOO_MANY or status >= 500:
            raise Unreachable(f"{self.host} answered with status {status}", hint="it may be better later")
        return self._parsed(body, status)

    def _body(self, parts: Iterable[bytes], end: float) -> bytes:
        body = bytearray()
        for part in parts:
            body += part
            if len(body) > self._octets:
                raise BadAnswer(f"answer of {self.host} was over {self._octets} bytes", hint="ask for less")
            if time.monotonic() > end:
                raise Unreachable(f"{self.host} took over {self._seconds} s for one answer", hint="ask for less")
        return bytes(body)

    def _parsed(self, body: bytes, status: int) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise BadAnswer(
                f"{self.host} answered with status {status} and {body[:80]!r}", hint="is that a JSON-RPC endpoint?"
            ) from None

    def _result(self, answer: Any, number: int, method: str) -> Any:
        if not isinstance(answer, dict) or (answer.get("id") != number and "error" not in answer):
            raise BadAnswer(f"{self.host} answered {method} with {answer!r:.200}", hint="is that a JSON-RPC endpoint?")
        if answer.get("error") is not None:
            raise self._errors(answer["error"], self.host, method)
        if "result" not in answer:
            raise BadAnswer(f"{self.host} answered {method} without a result", hint="is that a JSON-RPC endpoint?")
        return answer["result"]


def _question(number: int, method: str, params: list[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _error(told: Any, host: str, method: str) -> MercatoError:
    """Returns our error for a node's: a revert, a transaction that cannot be right, or an answer of its own."""
    code, message, data = (
        (told.get(key) for key in ("code", "message", "data")) if isinstance(told, dict) else ("", told, "")
    )
    words = str(message)[:300]
    if reverted := _revert(code, words, data):
        return reverted
    if any(part in words.lower() for part in _REFUSALS):
        return BadCall(f"{host} refused {method}: {words!r}", hint="see the transaction's nonce, fee, gas and value")
    return BadAnswer(f"{host} answered {method} with the error {code!r}: {words!r}", code=code)


def _revert(code: object, words: str, data: object) -> Reverted | None:
    found = data.get("data") if isinstance(data, dict) else data  # some nodes wrap it once more
    output = b""
    if isinstance(found, str) and found.startswith("0x"):
        try:
            output = bytes.fromhex(found[2:])
        except ValueError:
            return None
    if code != 3 and "revert" not in words.lower():
        return None
    return Reverted(reason(output) if output else words.partition("reverted: ")[2], output)
