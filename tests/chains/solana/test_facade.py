"""The cluster's façade answers as a node does: shapes, encodings and codes."""

from __future__ import annotations

import base64

import pytest
import zstandard

from mercato.chains.solana import base58
from mercato.chains.solana.facade.gateway import Gateway
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import WINDOW, LocalCluster
from mercato.chains.solana.messages import assemble, compile_message, sign
from mercato.chains.solana.model import MEMO, SOL, SYSTEM, TOKEN, TOKEN_2022, Instruction
from mercato.chains.solana.testing import WEALTH, issue, keys, local, signed
from mercato.chains.solana.tokens import associated, transfer_lamports
from tests.chains.solana.conftest import LIMITS, Client

ANN, BEN, CAM = keys()[:3]
B64 = {"encoding": "base64"}
BROKE = {"InstructionError": [0, {"Custom": 1}]}


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def pay(cluster: LocalCluster, lamports: int = SOL) -> bytes:
    return signed(cluster, [transfer_lamports(ANN.address, BEN.address, lamports)], ANN)


def test_an_account_comes_in_the_encoding_that_is_asked_for(client: Client, cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 5)
    data = next(account for account in cluster.accounts([token]) if account).data

    bare, short, whole, packed, part = (
        client.value("getAccountInfo", token, options)["data"]
        for options in (
            {}, {"encoding": "base58"}, B64, {"encoding": "base64+zstd"},
            {**B64, "dataSlice": {"offset": 36, "length": 8}},
        )
    )  # fmt: skip

    assert bare == base58.encode(data)
    assert short == [bare, "base58"]
    assert whole == [text(data), "base64"]
    assert zstandard.ZstdDecompressor().decompress(base64.b64decode(packed[0])) == data
    assert part == [text(data[36:44]), "base64"]


def test_an_account_that_is_not_there_is_null(client: Client) -> None:
    nobody = SolanaKey.new().address

    assert client.value("getAccountInfo", nobody) is None
    assert client.value("getBalance", nobody) == 0
    assert client.value("getMultipleAccounts", [nobody, ANN.address])[1]["lamports"] == WEALTH


def test_options_that_are_null_are_left_out(client: Client) -> None:
    options = {"encoding": None, "commitment": None, "dataSlice": None, "minContextSlot": None}

    assert client.ask("getAccountInfo", ANN.address, options) == client.ask("getAccountInfo", ANN.address)


def test_what_base_58_is_too_long_for_is_refused(client: Client, cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 5)
    error = client.fault("getAccountInfo", associated(ANN.address, token), {"encoding": "base58"})

    assert error["code"] == -32600
    assert "less than 128 bytes" in error["message"]


@pytest.mark.parametrize(("program", "name"), [(TOKEN, "spl-token"), (TOKEN_2022, "spl-token-2022")])
def test_token_accounts_are_parsed(client: Client, cluster: LocalCluster, program: str, name: str) -> None:
    token = issue(cluster, ANN, 1_500_000, program=program)  # type: ignore[arg-type]  # one of the two constants
    parsed = {"encoding": "jsonParsed"}

    (mine,) = client.value("getTokenAccountsByOwner", ANN.address, {"programId": program}, parsed)
    of = client.value("getAccountInfo", token, parsed)

    data = mine["account"]["data"]
    assert (data["program"], data["parsed"]["type"], of["data"]["parsed"]["type"]) == (name, "account", "mint")
    assert data["parsed"]["info"]["tokenAmount"] == {
        "amount": "1500000", "decimals": 6, "uiAmount": 1.5, "uiAmountString": "1.5",
    }  # fmt: skip
    assert of["data"]["parsed"]["info"]["mintAuthority"] == ANN.address


def test_program_accounts_are_filtered(client: Client, cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 5)
    issue(cluster, BEN, 5)
    filters = [{"dataSize": 165}, {"memcmp": {"offset": 32, "bytes": ANN.address}}]

    found = client.ask("getProgramAccounts", TOKEN, {**B64, "filters": filters})

    assert [one["pubkey"] for one in found] == [associated(ANN.address, token)]
    whole = 2 * 2 + 1  # the mint of wrapped SOL is always there
    assert len(client.ask("getProgramAccounts", TOKEN, B64)) == whole
    assert len(client.value("getProgramAccounts", TOKEN, {**B64, "withContext": True})) == whole


def test_tokens_are_counted(client: Client, cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 12_345, decimals=2)
    mine = associated(ANN.address, token)
    amount = {"amount": "12345", "decimals": 2, "uiAmount": 123.45, "uiAmountString": "123.45"}

    assert client.value("getTokenSupply", token) == amount
    assert client.value("getTokenAccountBalance", mine) == amount
    assert client.value("getTokenLargestAccounts", token) == [{"address": mine, **amount}]
    assert client.fault("getTokenAccountBalance", token)["message"] == "Invalid param: not a Token account"
    assert client.fault("getTokenSupply", mine)["message"] == "Invalid param: not a Token mint"


@pytest.mark.parametrize("encoding", ["base58", "base64"])
def test_transactions_are_taken_in_either_encoding(client: Client, cluster: LocalCluster, encoding: str) -> None:
    raw = pay(cluster)
    written = {"base58": base58.encode(raw), "base64": text(raw)}[encoding]

    name = client.ask("sendTransaction", written, {"encoding": encoding})

    (status,) = client.value("getSignatureStatuses", [name])
    assert status == {
        "slot": 1, "confirmations": None, "err": None, "status": {"Ok": None}, "confirmationStatus": "finalized",
    }  # fmt: skip
    assert cluster.balance(BEN.address) == WEALTH + SOL


def test_a_refusal_says_why_in_its_data(client: Client, cluster: LocalCluster) -> None:
    error = client.fault("sendTransaction", text(pay(cluster, WEALTH + 1)), B64)

    assert error["code"] == -32002
    assert error["message"].startswith("Transaction simulation failed: Error processing Instruction 0: custom")
    assert (error["data"]["err"], error["data"]["unitsConsumed"]) == (BROKE, 150)
    assert "insufficient lamports" in error["data"]["logs"][1]
    assert cluster.height() == 0


def test_blockhashes_are_refused_after_their_window(client: Client, cluster: LocalCluster) -> None:
    latest = client.value("getLatestBlockhash")
    raw = pay(cluster)
    assert latest["lastValidBlockHeight"] == WINDOW

    assert client.ask("mercato_mine", WINDOW - 1) == WINDOW - 1
    assert client.value("isBlockhashValid", latest["blockhash"])
    client.ask("mercato_mine")

    assert not client.value("isBlockhashValid", latest["blockhash"])
    error = client.fault("sendTransaction", text(raw), B64)
    assert (error["code"], error["data"]["err"]) == (-32002, "BlockhashNotFound")
    assert error["message"] == "Transaction simulation failed: Blockhash not found"
    assert client.value("simulateTransaction", text(raw), B64)["err"] == "BlockhashNotFound"
    tried = client.value("simulateTransaction", text(raw), {**B64, "replaceRecentBlockhash": True})
    assert (tried["err"], tried["replacementBlockhash"]["blockhash"]) == (None, cluster.lifetime().blockhash)


def test_without_preflight_a_failure_is_kept_and_what_no_block_takes_is_lost(
    client: Client, cluster: LocalCluster
) -> None:
    late = pay(cluster)
    cluster.mine(WINDOW)
    options = {**B64, "skipPreflight": True}

    lost = client.ask("sendTransaction", text(late), options)
    kept = client.ask("sendTransaction", text(pay(cluster, WEALTH + 1)), options)

    statuses = client.value("getSignatureStatuses", [lost, kept])
    assert statuses[0] is None
    assert (statuses[1]["err"], statuses[1]["status"]) == (BROKE, {"Err": BROKE})


def test_a_forged_signature_has_a_code_of_its_own(client: Client, cluster: LocalCluster) -> None:
    raw = bytearray(pay(cluster))
    raw[9] ^= 1

    assert client.fault("sendTransaction", text(bytes(raw)), B64)["code"] == -32003
    assert client.fault("simulateTransaction", text(bytes(raw)), {**B64, "sigVerify": True})["code"] == -32003


def test_the_same_transaction_is_refused_unless_it_waits() -> None:
    cluster = local(automine=False)
    raw = text(pay(cluster))
    client = Client(Gateway(cluster, LIMITS, development=True).answer)
    names = [client.ask("sendTransaction", raw, B64) for _ in range(2)]
    client.ask("mercato_mine")
    error = client.fault("sendTransaction", raw, B64)

    assert len(set(names)) == 1
    assert error["data"]["err"] == "AlreadyProcessed"
    assert cluster.balance(BEN.address) == WEALTH + SOL


def test_a_simulation_shows_accounts_and_what_programs_called(client: Client, cluster: LocalCluster) -> None:
    message = compile_message(
        ANN.address, [transfer_lamports(ANN.address, BEN.address, SOL)], cluster.lifetime().blockhash
    )
    asked = {"accounts": {"addresses": [BEN.address, SolanaKey.new().address]}, "innerInstructions": True}

    found = client.value("simulateTransaction", text(assemble(message)), {**B64, **asked})

    assert (found["err"], found["unitsConsumed"], found["innerInstructions"]) == (None, 150, [])
    assert [one and one["lamports"] for one in found["accounts"]] == [WEALTH + SOL, None]
    assert cluster.height() == 0


def test_a_version_that_the_client_cannot_read_is_refused(client: Client, cluster: LocalCluster) -> None:
    name = cluster.send_raw(pay(cluster))

    error = client.fault("getTransaction", name, {"encoding": "json"})

    assert error["code"] == -32015
    assert '"maxSupportedTransactionVersion": 0' in error["message"]
    assert client.fault("getBlock", 1)["code"] == -32015
    assert client.ask("getBlock", 1, {"transactionDetails": "signatures"})["signatures"] == [name]


def test_slots_without_a_block_say_so(client: Client, cluster: LocalCluster) -> None:
    cluster.warp(10)

    assert client.fault("getBlock", 5)["code"] == -32007
    assert client.fault("getBlockTime", 11)["code"] == -32004
    assert client.ask("getBlocks", 0) == [0, 10]
    assert client.ask("getBlocksWithLimit", 1, 5) == [10]


def test_a_slot_that_has_not_come_can_be_asked_for(client: Client) -> None:
    error = client.fault("getSlot", {"minContextSlot": 5})

    assert (error["code"], error["data"]) == (-32016, {"contextSlot": 0})


def test_histories_are_paged_and_show_memos(client: Client, cluster: LocalCluster) -> None:
    names = [cluster.send_raw(pay(cluster, lamports)) for lamports in (1, 2)]
    memo = Instruction(MEMO, (), "hé".encode())
    names.append(cluster.send_raw(signed(cluster, [memo, transfer_lamports(ANN.address, BEN.address, 3)], ANN)))

    found = client.ask("getSignaturesForAddress", BEN.address)
    paged = client.ask("getSignaturesForAddress", BEN.address, {"before": names[2], "limit": 1})
    newer = client.ask("getSignaturesForAddress", BEN.address, {"until": names[1]})

    assert [one["signature"] for one in found] == names[::-1]
    assert [one["memo"] for one in found] == ["[3] hé", None, None]
    assert [one["signature"] for one in paged] == [names[1]]
    assert [one["signature"] for one in newer] == [names[2]]


def test_airdrops_are_transactions_each_of_its_own(client: Client, cluster: LocalCluster) -> None:
    new = SolanaKey.new().address

    names = {client.ask("requestAirdrop", new, SOL) for _ in range(3)}

    assert len(names) == 3
    assert cluster.balance(new) == 3 * SOL
    assert client.fault("requestAirdrop", new, 2**63)["code"] == -32602


def test_fees_are_told_while_the_blockhash_lives(client: Client, cluster: LocalCluster) -> None:
    message = text(
        compile_message(ANN.address, [transfer_lamports(ANN.address, BEN.address, 1)], cluster.lifetime().blockhash)
    )

    assert client.value("getFeeForMessage", message) == 5_000
    cluster.mine(WINDOW)
    assert client.value("getFeeForMessage", message) is None
    assert client.fault("getFeeForMessage", "AAAA")["code"] == -32602


WRONG: dict[str, tuple[object, ...]] = {
    "no address": ("getBalance",),
    "an address of letters that are none": ("getBalance", "0" * 44),
    "a short address": ("getBalance", "111"),
    "a number for an address": ("getBalance", 7),
    "an unknown commitment": ("getSlot", {"commitment": "sure"}),
    "a list for a commitment": ("getSlot", {"commitment": []}),
    "an object for an encoding": ("getAccountInfo", SYSTEM, {"encoding": {}}),
    "options that are none": ("getSlot", "finalized"),
    "an unknown encoding": ("getAccountInfo", SYSTEM, {"encoding": "hex"}),
    "too many accounts": ("getMultipleAccounts", [SYSTEM] * 101),
    "a negative size": ("getMinimumBalanceForRentExemption", -1),
    "a size beyond all accounts": ("getMinimumBalanceForRentExemption", 2**40),
    "a transaction that is none": ("sendTransaction", "AAAA", {"encoding": "base64"}),
    "a transaction in no base 64": ("sendTransaction", "é", {"encoding": "base64"}),
    "a transaction in an unknown encoding": ("sendTransaction", "11", {"encoding": "hex"}),
    "a transaction too long": ("sendTransaction", "1" * 5000),
    "both ways to simulate": ("simulateTransaction", "11", {"sigVerify": True, "replaceRecentBlockhash": True}),
    "a filter that is none": ("getProgramAccounts", TOKEN, {"filters": [{"size": 1}]}),
    "a program of no tokens": ("getTokenAccountsByOwner", SYSTEM, {"programId": SYSTEM}),
    "a token that is not there": ("getTokenAccountsByOwner", SYSTEM, {"mint": MEMO}),
    "a wide range of slots": ("getBlocks", 0, 10**9),
}


@pytest.mark.parametrize("way", WRONG)
def test_what_cannot_be_right_is_refused(client: Client, way: str) -> None:
    method, *params = WRONG[way]

    assert client.fault(str(method), *params)["code"] == -32602


def test_unknown_methods_are_told_apart(client: Client) -> None:
    assert client.fault("getEverything")["code"] == -32601
    assert client.fault("eth_chainId")["code"] == -32601


def test_a_transaction_signed_for_nobody_here_is_lost_on_nobody(client: Client, cluster: LocalCluster) -> None:
    poor = SolanaKey.new()
    message = compile_message(
        poor.address, [transfer_lamports(poor.address, BEN.address, 1)], cluster.lifetime().blockhash
    )

    error = client.fault("sendTransaction", text(sign(message, [poor])), B64)

    assert (error["code"], error["data"]["err"]) == (-32002, "AccountNotFound")
    assert "no record of a prior credit" in error["message"]
