"""A wallet in the page: announced by EIP-6963, its key in the test, its transactions sent to a real JSON-RPC node."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Page

from mercato.chains import typed
from mercato.chains.addresses import checksum
from mercato.chains.signing import Key, personal

ANNOUNCED = """
(() => {
  const { name, rdns, channel } = %s;
  const icon = "data:image/svg+xml,%%3Csvg xmlns='http://www.w3.org/2000/svg'/%%3E";
  const provider = { request: async (call) => {
    const { result, error } = JSON.parse(await window[channel](JSON.stringify(call)));
    if (error) throw Object.assign(new Error(error.message), { code: error.code });
    return result;
  } };
  const detail = Object.freeze({ info: { uuid: crypto.randomUUID?.() ?? rdns, name, icon, rdns }, provider });
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


@dataclass
class Wallet:
    """Signs with one key. `asked` are the methods that pages called; `declines` are those that its owner refuses."""

    key: Key
    node: str
    name: str = "Test Wallet"
    rdns: str = "example.test-wallet"
    declines: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def __call__(self, page: Page) -> None:
        """Installs the wallet in a page that has not been opened yet."""
        channel = "wallet_" + self.rdns.replace(".", "_").replace("-", "_")
        page.expose_function(channel, self._answer)
        page.add_init_script(ANNOUNCED % json.dumps({"name": self.name, "rdns": self.rdns, "channel": channel}))

    def _answer(self, text: str) -> str:
        call = json.loads(text)
        method, params = call["method"], call.get("params", [])
        self.asked.append(method)
        if method in self.declines:
            return json.dumps({"error": {"code": 4001, "message": "User rejected the request."}})
        try:
            return json.dumps({"result": self._do(method, params)})
        except Refused as error:
            return json.dumps({"error": {"code": -32000, "message": str(error)}})

    def _do(self, method: str, params: list[Any]) -> Any:
        verbs: dict[str, Callable[..., Any]] = {
            "eth_requestAccounts": lambda: [checksum(self.key.address)],
            "personal_sign": lambda text, _: self._hex(self.key.digest(personal(bytes.fromhex(text[2:])))),
            "eth_signTypedData_v4": lambda _, data: self._hex(self.key.digest(typed.digest(json.loads(data)))),
            "eth_sendTransaction": self._send,
        }
        return verbs[method](*params) if method in verbs else self.node_says(method, *params)

    def _send(self, fields: dict[str, str]) -> Any:
        whole = {
            **fields,
            "chainId": self.node_says("eth_chainId"),
            "nonce": self.node_says("eth_getTransactionCount", self.key.address, "pending"),
            "gas": self.node_says("eth_estimateGas", fields),
            "maxFeePerGas": "0x0",
            "maxPriorityFeePerGas": "0x0",
        }
        return self.node_says("eth_sendRawTransaction", self._hex(self.key.transaction(whole)))

    def node_says(self, method: str, *params: Any) -> Any:
        """Returns what the node answers; Refused with its words where that is an error."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        said = httpx.post(self.node, json=asked, timeout=60).json()
        if "error" in said:
            raise Refused(said["error"]["message"])
        return said["result"]

    @staticmethod
    def _hex(octets: bytes) -> str:
        return "0x" + octets.hex()


class Refused(Exception):
    """The node did not take it."""
