"""Whatever a client sends, the façade answers or says what was wrong; it never breaks."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mercato.chains.solana.facade.gateway import Gateway
from mercato.chains.solana.messages import compile_message, sign
from mercato.chains.solana.model import SYSTEM, TOKEN, Blockhash
from mercato.chains.solana.testing import issue, keys, local
from mercato.chains.solana.tokens import associated, transfer_lamports
from tests.chains.solana.conftest import LIMITS

ANN, BEN = keys()[:2]
INTERNAL = -32603
CLUSTER = local()
TOKEN_MINT = issue(CLUSTER, ANN, 5)
GATEWAY = Gateway(CLUSTER, LIMITS, development=False)
RAW = sign(compile_message(ANN.address, [transfer_lamports(ANN.address, BEN.address, 1)], Blockhash(SYSTEM)), [ANN])

#: What is almost right goes further in than what is nonsense at once.
FAMILIAR = st.sampled_from(
    [
        ANN.address, TOKEN, TOKEN_MINT, associated(ANN.address, TOKEN_MINT), "1" * 64, CLUSTER.block().hash, 0, 1, 7,
        base64.b64encode(RAW).decode(), base64.b64encode(RAW[:-1]).decode(), [ANN.address], ["1" * 64],
        {"mint": TOKEN_MINT}, {"programId": TOKEN}, {"encoding": "base64"}, {"encoding": "jsonParsed"},
        {"encoding": "base64", "skipPreflight": True}, {"encoding": "base64", "replaceRecentBlockhash": True},
        {"encoding": "base64", "accounts": {"addresses": [SYSTEM]}}, {"dataSlice": {"offset": 2**63, "length": 2**63}},
        {"filters": [{"memcmp": {"offset": 2**63, "bytes": "1"}}]}, {"maxSupportedTransactionVersion": 0},
        {"before": "1" * 64, "limit": 3}, {"minContextSlot": 0}, {"transactionDetails": "none"},
        {"commitment": []}, {"encoding": {}}, {"accounts": {"encoding": []}},
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50) | FAMILIAR
NAMES = st.sampled_from(
    ["encoding", "commitment", "filters", "accounts", "mint", "limit", "dataSlice", "minContextSlot"]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


REQUESTS = st.tuples(st.sampled_from(sorted(GATEWAY.methods)), st.lists(FAMILIAR | VALUES, max_size=4))


@given(requests=st.lists(REQUESTS, min_size=5, max_size=20))
def test_no_parameters_break_a_method(requests: list[tuple[str, list[Any]]]) -> None:
    for method, params in requests:
        asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

        answer = json.loads(GATEWAY.answer(asked.encode()) or "")

        assert answer.get("error", {}).get("code") != INTERNAL, (method, params)
