"""Errors of transactions, which nodes give as JSON, in the words that nodes use for them."""

from __future__ import annotations

import re

#: Those that the runtime refuses before it runs anything: such a transaction is in no block and costs nothing.
WORDS = {
    "AccountInUse": "Account in use",
    "AccountLoadedTwice": "Account loaded twice",
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "AddressLookupTableNotFound": "Transaction loads an address table account that doesn't exist",
    "AlreadyProcessed": "This transaction has already been processed",
    "BlockhashNotFound": "Blockhash not found",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "InvalidAccountForFee": "This account may not be used to pay transaction fees",
    "InvalidProgramForExecution": "This program may not be used for executing instructions",
    "ProgramAccountNotFound": "Attempt to load a program that does not exist",
    "SanitizeFailure": "Transaction failed to sanitize accounts offsets correctly",
    "SignatureFailure": "Transaction did not pass signature verification",
}
ONE = {"InsufficientFundsForRent": "Transaction results in an account ({}) with insufficient funds for rent",
       "DuplicateInstruction": "Transaction contains a duplicate instruction ({}) that is not allowed"}  # fmt: skip
INSTRUCTIONS = {
    "AccountAlreadyInitialized": "instruction requires an uninitialized account",
    "ComputationalBudgetExceeded": "Computational budget exceeded",
    "IncorrectProgramId": "incorrect program id for instruction",
    "InsufficientFunds": "insufficient funds for instruction",
    "InvalidAccountData": "invalid account data for instruction",
    "InvalidArgument": "invalid program argument",
    "InvalidInstructionData": "invalid instruction data",
    "MissingRequiredSignature": "missing required signature for instruction",
    "PrivilegeEscalation": "Cross-program invocation with unauthorized signer or writable account",
    "ProgramFailedToComplete": "Program failed to complete",
    "UninitializedAccount": "instruction requires an initialized account",
}
_HUMPS = re.compile(r"(?<!^)(?=[A-Z])")


def words(error: object) -> str:
    """Returns what an error says; "" for None. What is not known here is its own name in words."""
    match error:
        case None:
            return ""
        case str():
            return WORDS.get(error) or _split(error)
        case {"InstructionError": [int() as place, cause]}:
            return f"Error processing Instruction {place}: {_cause(cause)}"
        case dict() if len(error) == 1:
            ((name, told),) = error.items()
            number = next(iter(told.values()), "") if isinstance(told, dict) else told
            return ONE[name].format(number) if name in ONE else f"{_split(str(name))} ({number})"
    return f"{error!r:.200}"


def _cause(cause: object) -> str:
    match cause:
        case {"Custom": int() as number}:
            return f"custom program error: {number:#x}"
        case str():
            return INSTRUCTIONS.get(cause) or _split(cause)
    return f"{cause!r:.200}"


def _split(name: str) -> str:
    text = _HUMPS.sub(" ", name[:80]).lower()
    return text[:1].upper() + text[1:]
