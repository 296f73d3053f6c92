"""The numbers by which programs refuse mean what is said of them: each is provoked on the embedded cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mercato.chains.solana import stake, token_2022, tokens
from mercato.chains.solana.codes import meaning
from mercato.chains.solana.extensions import Extension
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.messages import assemble, compile_message
from mercato.chains.solana.model import SOL, TOKEN, TOKEN_2022, Address, Instruction, Meta
from mercato.chains.solana.testing import issue, keys, local, signed, validator
from mercato.chains.solana.tokens import Right, associated

ANN, BEN = keys()[:2]
ME, YOU = ANN.address, BEN.address
PROGRAMS = pytest.mark.parametrize("program", [TOKEN, TOKEN_2022])
Steps = list[Instruction]


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


def said(cluster: LocalCluster, *steps: Instruction) -> str:
    message = compile_message(ME, steps, cluster.lifetime().blockhash)
    return meaning(cluster.simulate(assemble(message)).logs)


def moved(token: Address, program: Address, amount: int, decimals: int = 6) -> Instruction:
    mine, yours = (associated(who, token, program) for who in (ME, YOU))
    return tokens.transfer_tokens(mine, yours, token, ME, amount, decimals, program)


@PROGRAMS
def test_token_programs_refuse_by_numbers(cluster: LocalCluster, program: Address) -> None:
    token, other = (issue(cluster, ANN, 1_000, program=program) for _ in range(2))
    mine, yours, wrong = (associated(*of, program) for of in ((ME, token), (YOU, token), (ME, other)))
    cluster.send_raw(signed(cluster, [tokens.create_associated(ME, YOU, token, program)], ANN))
    frozen = tokens.freeze(mine, token, ME, program)
    fixed = tokens.set_authority(token, ME, Right.MINT, None, program)
    free = tokens.set_authority(token, ME, Right.FREEZE, None, program)
    steps: dict[str, Steps] = {
        "there is not so much of the token": [moved(token, program, 5_000)],
        "the token has another number of decimals": [moved(token, program, 5, 7)],
        "the account is somebody else's": [tokens.burn(yours, token, ME, 0, program)],
        "the account is of another token": [tokens.transfer_tokens(mine, wrong, token, ME, 5, 6, program)],
        "something is left in the account": [tokens.close_account(mine, ME, ME, program)],
        "the account is frozen": [frozen, moved(token, program, 5)],
        "the account is not in the state for that": [frozen, frozen],
        "nobody can make more of the token": [fixed, tokens.mint_to(token, mine, ME, 5, program)],
        "nobody can freeze accounts of the token": [free, frozen],
        "there would be more of the token than 64 bits can say": [tokens.mint_to(token, mine, ME, 2**64 - 1, program)],
    }

    assert {means: said(cluster, *given) for means, given in steps.items()} == {means: means for means in steps}


@pytest.mark.parametrize(
    ("kind", "step", "tried", "means"),
    [
        (
            Extension.TRANSFER_FEE, lambda at: token_2022.charge_fee(at, 100, 50, ME, ME),
            lambda at, mine, yours: [token_2022.transfer_with_fee(mine, yours, at, ME, 500, 6, 1)],
            "the transfer fee is another one",
        ),
        (
            Extension.PAUSABLE, lambda at: token_2022.allow_pausing(at, ME),
            lambda at, mine, yours: [
                Instruction(TOKEN_2022, (Meta(at, writable=True), Meta(ME, signer=True)), bytes([44, 1])),
                moved(at, TOKEN_2022, 5),
            ],
            "all transfers of the token are stopped",
        ),
        (
            Extension.CLOSE_AUTHORITY, lambda at: token_2022.allow_closing(at, ME),
            lambda at, mine, yours: [tokens.close_account(at, ME, ME, TOKEN_2022)], "something is left of the token",
        ),
        (
            Extension.NON_TRANSFERABLE, token_2022.bind_to_holder,
            lambda at, mine, yours: [moved(at, TOKEN_2022, 5)], "the token is bound to its holder",
        ),
        (
            Extension.CLOSE_AUTHORITY, lambda at: token_2022.allow_closing(at, ME),
            lambda at, mine, yours: [*token_2022.demand_memos(mine, ME, ME),
                                     tokens.transfer_tokens(mine, mine, at, ME, 5, 6, TOKEN_2022)],
            "whoever gets it takes transfers with a memo only",
        ),
    ],
)  # fmt: skip
def test_token_2022_refuses_by_more_numbers(
    cluster: LocalCluster, kind: Extension, step: Callable[[Address], Instruction],
    tried: Callable[[Address, Address, Address], Steps], means: str,
) -> None:  # fmt: skip
    size = token_2022.mint_size([kind])
    at, made = tokens.create_account_with_seed(ME, "odd", cluster.rent(size), size, TOKEN_2022)
    mine, yours = (associated(who, at, TOKEN_2022) for who in (ME, YOU))
    begin = [tokens.create_mint(at, 6, ME, ME, TOKEN_2022)]
    begin += [tokens.create_associated(ME, who, at, TOKEN_2022) for who in (ME, YOU)]
    steps = [made, step(at), *begin, tokens.mint_to(at, mine, ME, 1_000, TOKEN_2022)]
    cluster.send_raw(signed(cluster, steps, ANN))

    assert said(cluster, *tried(at, mine, yours)) == means


def test_the_system_and_stake_programs_refuse_by_numbers(cluster: LocalCluster) -> None:
    vote = validator(cluster, BEN)
    lamports = cluster.rent(stake.SIZE) + 5 * SOL
    at, made = tokens.create_account_with_seed(ME, "stake", lamports, stake.SIZE, stake.STAKE)
    delegated, ended = stake.delegate(at, vote, ME), stake.deactivate(at, ME)
    cluster.send_raw(signed(cluster, [made, stake.initialize(at, ME, ME), delegated], ANN))

    assert said(cluster, made) == "something lies at the new account's address already"
    assert said(cluster, tokens.transfer_lamports(ME, YOU, 10**15)) == "there are not so many lamports"
    assert said(cluster, ended, ended) == "the delegation was ended before"
    cluster.warp(900_000)
    assert said(cluster, delegated) == "the delegation cannot be changed yet"


def test_a_refusal_within_a_called_program_counts_first() -> None:
    system, other = "1" * 32, "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
    lines = [f"Program {who} failed: custom program error: 0x1" for who in (system, str(TOKEN))]

    assert meaning(lines) == "there are not so many lamports"
    assert meaning(lines[::-1]) == "there is not so much of the token"
    assert meaning([f"Program {other} failed: custom program error: 0x1", *lines]) == ""
    assert meaning(["Program log: all is well", "Program x failed: custom program error: 0x1"]) == ""
