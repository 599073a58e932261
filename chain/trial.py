"""Calls and estimates: transactions that are tried on a state and leave no trace."""

from __future__ import annotations

from eth_utils.exceptions import ValidationError

from chain.access_list import CreatedAccessList, create_access_list
from chain.blockchain import Blockchain
from chain.errors import InvalidTransaction
from chain.estimate import least_gas
from chain.forks import Fork
from chain.gas_need import GasNeed
from chain.overrides import BlockOverrides, env_with
from chain.records import AccountOverride, BlockRecord, CallOutcome, CallRequest
from chain.refusals import ExecutionReverted, Refused
from chain.requests import TxRequest
from chain.store import KeyValue
from chain.transition import MAX_TX_GAS, BlockEnv

__all__ = ["Overrides", "access_list", "call", "call_gas", "call_request", "estimate_gas"]

MAX_NONCE = 2**64 - 1
MAX_CALL_GAS = 50_000_000
"""Most gas a call may have, unless blocks have more: whoever asks for more runs with this much, as in geth."""

Overrides = dict[bytes, AccountOverride]


def call(
    chain: Blockchain,
    request: TxRequest,
    record: BlockRecord,
    overrides: Overrides | None = None,
    block_overrides: BlockOverrides | None = None,
    env: BlockEnv | None = None,
    db: KeyValue | None = None,
) -> bytes:
    """Run a request behind a block.

    Args:
        chain: The chain.
        request: What to run.
        record: Block whose state it runs on.
        overrides: Accounts that are changed for it.
        block_overrides: Fields of the block it sees that are changed.
        env: The block it sees, `record` itself unless given.
        db: Holds the state, where the chain's store does not.

    Returns:
        What the contract returned.

    Raises:
        ExecutionReverted: It reverted.
        Refused: It failed otherwise, or could not start.
    """
    _check_nonce(request)
    env = chain.env_of(record) if env is None else env
    if block_overrides is not None:
        env = env_with(env, block_overrides, chain.schedule)
    try:
        outcome = chain.call(
            call_request(request, call_gas(request, record, env)), record, env=env, overrides=overrides, db=db
        )
    except InvalidTransaction as error:
        raise Refused(error.reason) from None
    except ValidationError as error:
        raise Refused(_overflow(error)) from None
    _raise_failure(outcome)
    return outcome.output


def call_gas(request: TxRequest, record: BlockRecord, env: BlockEnv, block_gas: int = 0) -> int:
    """The gas of a call: as much as it asks for, else as its block has, but no more than calls may have.

    `block_gas` is what the block to come may have, where that is more than the block that is there.
    """
    wanted = env.gas_limit if request.gas is None else request.gas
    return min(wanted, max(MAX_CALL_GAS, record.header.gas_limit, block_gas))


def access_list(
    chain: Blockchain, request: TxRequest, record: BlockRecord, overrides: Overrides | None = None
) -> CreatedAccessList:
    """See `create_access_list`.

    Raises:
        Refused: The request cannot start.
    """
    _check_nonce(request)
    asked = call_request(request, call_gas(request, record, chain.env_of(record)))
    try:
        return create_access_list(chain, asked, record, overrides)
    except InvalidTransaction as error:
        raise Refused(error.reason) from None
    except ValidationError as error:
        raise Refused(_overflow(error)) from None


def estimate_gas(
    chain: Blockchain,
    request: TxRequest,
    record: BlockRecord,
    env: BlockEnv,
    overrides: Overrides | None = None,
    block_overrides: BlockOverrides | None = None,
    db: KeyValue | None = None,
) -> int:
    """The least gas with which a request succeeds: with one less it fails.

    Args:
        chain: The chain.
        request: What to try.
        record: Block whose state it is tried on.
        env: Environment of the block it would be in.
        overrides: Accounts that are changed for the trial.
        block_overrides: Fields of that block that are changed.
        db: Holds the state, where the chain's store does not.

    Raises:
        ExecutionReverted: It reverts with all the gas there is.
        Refused: It fails otherwise, or cannot be afforded.
    """
    _check_nonce(request)
    block_gas = env.gas_limit
    if block_overrides is not None:
        env = env_with(env, block_overrides, chain.schedule)
    cap = call_gas(request, record, env, block_gas)
    if request.gas is not None:
        cap = min(cap, env.gas_limit)
    if env.fork >= Fork.OSAKA:
        cap = min(cap, MAX_TX_GAS)
    price = request.gas_price if request.gas_price is not None else request.max_fee_per_gas
    if price and request.sender is not None and not (overrides and request.sender in overrides):
        funds = chain.state_at(record, db).balance(request.sender) - (request.value or 0)
        if funds < 0:
            raise Refused("insufficient funds for transfer")
        cap = min(cap, funds // price)

    def attempt(gas: int) -> CallOutcome:
        return chain.call(call_request(request, gas), record, env=env, overrides=overrides, db=db)

    def suffices(gas: int) -> bool:
        try:
            return attempt(gas).status == "success"
        except InvalidTransaction:
            return False

    need = GasNeed()
    try:
        first = chain.call(call_request(request, cap), record, env=env, overrides=overrides, around=need.watch, db=db)
    except InvalidTransaction as error:
        reason = f"gas required exceeds allowance ({cap})" if error.rule == "intrinsic-gas" else error.reason
        raise Refused(reason) from None
    except ValidationError as error:
        raise Refused(_overflow(error)) from None
    if first.error in ("out of gas", "contract creation code storage out of gas"):
        raise Refused(f"gas required exceeds allowance ({cap})")
    _raise_failure(first)
    return least_gas(suffices, (need.gas, first.max_gas_used), need.floor - 1, cap)


def _check_nonce(request: TxRequest) -> None:
    if request.nonce is not None and request.nonce >= MAX_NONCE:
        raise Refused("nonce has max value")


def _overflow(error: ValidationError) -> str:
    """Overrides can give an account so much that receiving more overflows, which no real state can."""
    return f"the call overflows a number of the state: {error}"


def _raise_failure(outcome: CallOutcome) -> None:
    if outcome.status == "revert":
        raise ExecutionReverted(outcome.output)
    if outcome.status != "success":
        raise Refused(outcome.error or "execution failed")


def call_request(request: TxRequest, gas: int | None) -> CallRequest:
    """What a client asked for, as the chain takes it, with this much gas (None for as much as the block allows)."""
    return CallRequest(
        sender=request.sender or bytes(20),
        to=request.to,
        gas=gas,
        gas_price=request.gas_price,
        max_fee_per_gas=request.max_fee_per_gas,
        max_priority_fee_per_gas=request.max_priority_fee_per_gas,
        value=request.value or 0,
        data=request.data or b"",
        nonce=request.nonce,
        access_list=request.access_list or (),
        max_fee_per_blob_gas=request.max_fee_per_blob_gas,
        blob_hashes=request.blob_hashes or (),
        authorizations=request.authorizations or (),
    )
