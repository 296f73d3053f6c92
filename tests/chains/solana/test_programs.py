"""Programs of mainnet that depend on slots and hashes work on the embedded cluster: durable nonces, lookup tables."""

from __future__ import annotations

from hashlib import sha256

import pytest
from solders.instruction import Instruction as Theirs
from solders.pubkey import Pubkey
from solders.system_program import advance_nonce_account, create_lookup_table, create_nonce_account, extend_lookup_table

from mercato.chains.errors import BadCall
from mercato.chains.solana.base58 import decode as decode58
from mercato.chains.solana.base58 import encode
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import WINDOW, LocalCluster
from mercato.chains.solana.messages import compile_message, decode, sign
from mercato.chains.solana.model import SOL, Address, Blockhash, Instruction, Meta
from mercato.chains.solana.testing import WEALTH, keys, local, signed
from mercato.chains.solana.tokens import transfer_lamports

ANN, BEN, CAM = keys()[:3]
PAYER = Pubkey.from_string(ANN.address)


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


def ours(given: Theirs) -> Instruction:
    metas = tuple(Meta(Address(str(at.pubkey)), at.is_signer, at.is_writable) for at in given.accounts)
    return Instruction(Address(str(given.program_id)), metas, bytes(given.data))


def nonce_of(cluster: LocalCluster) -> Pubkey:
    made = SolanaKey.new()
    at = Pubkey.from_string(made.address)
    steps = [ours(one) for one in create_nonce_account(PAYER, at, PAYER, 10**7)]
    cluster.send_raw(signed(cluster, steps, ANN, made))
    return at


def test_a_durable_nonce_outlives_the_window_and_is_used_up(cluster: LocalCluster) -> None:
    nonce = nonce_of(cluster)
    account = cluster.accounts([Address(str(nonce))])[0]
    assert account
    stored = Blockhash(encode(account.data[40:72]))
    advance = ours(advance_nonce_account({"nonce_pubkey": nonce, "authorized_pubkey": PAYER}))
    first, second = (
        compile_message(ANN.address, [advance, transfer_lamports(ANN.address, BEN.address, amount)], stored)
        for amount in (SOL, 2 * SOL)
    )
    cluster.mine(WINDOW + 50)

    receipt = cluster.wait(cluster.send_raw(sign(first, [ANN])))

    assert receipt.succeeded
    assert cluster.balance(BEN.address) == WEALTH + SOL
    with pytest.raises(BadCall, match="Blockhash not found"):
        cluster.send_raw(sign(second, [ANN]))


def test_a_transaction_that_fails_uses_its_nonce_up_too(cluster: LocalCluster) -> None:
    nonce = nonce_of(cluster)
    at = Address(str(nonce))
    advance = ours(advance_nonce_account({"nonce_pubkey": nonce, "authorized_pubkey": PAYER}))

    def using(lamports: int) -> bytes:
        account = cluster.accounts([at])[0]
        assert account
        steps = [advance, transfer_lamports(ANN.address, BEN.address, lamports)]
        return sign(compile_message(ANN.address, steps, Blockhash(encode(account.data[40:72]))), [ANN])

    cluster.mine(WINDOW)
    other, failing = using(1), using(10**18)
    failed = cluster.wait(cluster.send_raw(failing, preflight=False))
    cluster.mine()

    assert not failed.succeeded
    with pytest.raises(BadCall, match="Blockhash not found"):
        cluster.send_raw(other)
    assert cluster.wait(cluster.send_raw(using(1))).succeeded


def test_a_nonce_follows_from_the_newest_blockhash(cluster: LocalCluster) -> None:
    nonce = nonce_of(cluster)
    advance = ours(advance_nonce_account({"nonce_pubkey": nonce, "authorized_pubkey": PAYER}))
    newest = cluster.lifetime().blockhash

    cluster.send_raw(signed(cluster, [advance], ANN))

    account = cluster.accounts([Address(str(nonce))])[0]
    assert account
    assert account.data[40:72] == sha256(b"DURABLE_NONCE" + decode58(newest)).digest()


def test_lookup_tables_name_accounts_in_a_byte(cluster: LocalCluster) -> None:
    slot = cluster.block().slot
    begin, table = create_lookup_table({"authority_address": PAYER, "payer_address": PAYER, "recent_slot": slot})
    extend = extend_lookup_table(
        {
            "lookup_table_address": table, "authority_address": PAYER, "payer_address": PAYER,
            "new_addresses": [Pubkey.from_string(CAM.address)],
        }
    )  # fmt: skip
    cluster.send_raw(signed(cluster, [ours(begin), ours(extend)], ANN))
    cluster.mine()
    transfer = transfer_lamports(ANN.address, CAM.address, SOL)
    recent = cluster.lifetime().blockhash

    message = compile_message(ANN.address, [transfer], recent, {Address(str(table)): [CAM.address]})
    record = cluster.record(cluster.send_raw(sign(message, [ANN])))

    assert record
    assert CAM.address not in map(str, decode(record.transaction).message.account_keys)
    assert record.loaded == ((CAM.address,), ())
    assert record.receipt.accounts[-1] == CAM.address
    assert cluster.balance(CAM.address) == WEALTH + SOL
