"""One transaction against a state: is it valid, and what does it do (yellow paper 6; EIP-155 to EIP-7702).

The same function serves blocks, imports, `eth_call` and state tests. py-evm's own transaction executors are not used:
they miss EIP-3607, EIP-7623's limits, chain ids of typed transactions, caps below tips and the blob rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.exceptions import ContractCreationCollision, Revert
from eth.vm.execution_context import ExecutionContext
from eth.vm.message import Message
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError

from chain.accounts import checksum_address
from chain.block import Log, types_allowed
from chain.crypto import EMPTY_HASH, SECP256K1_N, keccak
from chain.errors import InvalidBlock, InvalidTransaction
from chain.executor import MAX_EVM_INIT_CODE, SYSTEM_ADDRESS, WASM_MAGIC, GasSplit, WasmMachine, state_class
from chain.failures import error_words
from chain.forks import BlobParams, Fork
from chain.hardening import has_code_nonce_or_storage
from chain.rlp_codec import encode
from chain.system_contracts import run_known
from chain.transaction import BLOB, LEGACY, SET_CODE, Authorization, Tx, floor_gas, intrinsic_gas, is_unsigned
from ewasm.rules import Rules

__all__ = [
    "BlockEnv",
    "Executed",
    "apply_tx",
    "check_account",
    "check_gas_cap",
    "check_tx",
    "open_state",
    "system_call",
]

DELEGATION_PREFIX = b"\xef\x01\x00"
SYSTEM_GAS = 30_000_000
MAX_NONCE = (1 << 64) - 1
MAX_TX_GAS = 1 << 24
MAX_TX_BLOBS = 6
RIPEMD = (3).to_bytes(20, "big")


@dataclass(frozen=True, slots=True)
class BlockEnv:
    """What a transaction sees of its block.

    Attributes:
        base_fee: Wei; None before London.
        excess_blob_gas: None before Cancun, as is `blobs`.
    """

    fork: Fork
    chain_id: int
    number: int
    timestamp: int
    coinbase: bytes
    gas_limit: int
    difficulty: int = 0
    mix_hash: bytes = bytes(32)
    base_fee: int | None = None
    excess_blob_gas: int | None = None
    blobs: BlobParams | None = None
    blob_base_fee_override: int | None = None

    @property
    def blob_base_fee(self) -> int:
        """Wei a unit of blob gas costs; 0 before Cancun."""
        if self.blob_base_fee_override is not None:
            return self.blob_base_fee_override
        if self.blobs is None or self.excess_blob_gas is None:
            return 0
        return self.blobs.base_fee(self.excess_blob_gas)


@dataclass(frozen=True, slots=True)
class Executed:
    """What a transaction did.

    Attributes:
        gas_used: Whole gas charged, refunds and floor applied.
        output: Return or revert data; empty on any other failure, and the stored code after a creation.
        error: A sentence for people, or None on success.
        reverted: Whether the failure was a revert.
        created: 20 bytes, the contract's address if this was a creation that succeeded.
        gas_intrinsic: Gas charged before the first frame.
        split: Where the gas of Wasm frames went.
        max_gas_used: Gas used before refunds were taken off.
        log_positions: Of each log among all that were emitted, those of frames that failed included.
        logs_emitted: How many these were.
    """

    success: bool
    gas_used: int
    output: bytes
    logs: tuple[Log, ...]
    error: str | None
    reverted: bool
    created: bytes | None
    effective_gas_price: int
    gas_intrinsic: int
    split: GasSplit
    max_gas_used: int
    log_positions: tuple[int, ...] = ()
    logs_emitted: int = 0


class BlockContext(ExecutionContext):
    """py-evm's execution context, with the price of blobs worked out."""

    blob_base_fee: int = 0


def open_state(
    env: BlockEnv,
    machine: WasmMachine,
    db: Any,
    state_root: bytes,
    ancestors: Iterable[bytes],
    kind: Callable[..., Any] | None = None,
) -> Any:
    """A py-evm state on `db`.

    Args:
        env: The block.
        machine: Runs Wasm.
        db: Mapping of bytes to bytes; nothing is written before the state is persisted.
        state_root: 32 bytes.
        ancestors: Hashes of the blocks before this one, the parent first; read lazily.
        kind: State class, where it is not the fork's own.
    """
    context = BlockContext(
        coinbase=Address(env.coinbase),
        timestamp=env.timestamp,
        block_number=BlockNumber(env.number),
        difficulty=env.difficulty,
        mix_hash=Hash32(env.mix_hash),
        gas_limit=env.gas_limit,
        prev_hashes=(Hash32(ancestor) for ancestor in ancestors),
        chain_id=env.chain_id,
        base_fee_per_gas=env.base_fee,
        excess_blob_gas=env.excess_blob_gas,
    )
    context.blob_base_fee = env.blob_base_fee
    return (kind or state_class(env.fork, machine))(db, context, Hash32(state_root))


def check_tx(tx: Tx, fork: Fork, chain_id: int, rules: Rules, blobs: BlobParams | None) -> None:
    """Rules that need no account.

    Raises:
        InvalidTransaction: With the reason in the words clients look for.
    """
    if tx.type not in types_allowed(fork):
        raise InvalidTransaction("transaction type not supported", "type")
    if tx.chain_id is not None and (tx.chain_id != chain_id or fork < Fork.SPURIOUS_DRAGON):
        raise InvalidTransaction(f"invalid chain id for signer: have {tx.chain_id} want {chain_id}", "chain-id")
    if tx.type == LEGACY and tx.chain_id is None and tx.v not in (27, 28):
        raise InvalidTransaction("invalid transaction v, r, s values", "signature")
    if fork >= Fork.HOMESTEAD and tx.s > SECP256K1_N // 2:
        raise InvalidTransaction("invalid transaction v, r, s values", "signature")
    if tx.nonce >= MAX_NONCE:
        raise InvalidTransaction("nonce has max value", "nonce-max")
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
        raise InvalidTransaction("max priority fee per gas higher than max fee per gas", "tip-above-cap")
    if tx.gas * tx.max_fee_per_gas >= 1 << 256:
        raise InvalidTransaction("gas * max fee per gas exceeds 256 bits", "overflow")
    if tx.is_create:
        _check_init_code(tx, fork, rules)
    needed = max(intrinsic_gas(tx, fork), floor_gas(tx, fork))
    if tx.gas < needed:
        raise InvalidTransaction(f"intrinsic gas too low: have {tx.gas}, want {needed}", "intrinsic-gas")
    if tx.type == BLOB:
        _check_blobs(tx, fork, blobs)
    elif tx.type == SET_CODE:
        if tx.is_create:
            raise InvalidTransaction("set code transaction must not create a contract", "set-code-create")
        if not tx.authorizations:
            raise InvalidTransaction("set code transaction has an empty authorization list", "authorizations")


def _check_init_code(tx: Tx, fork: Fork, rules: Rules) -> None:
    size = len(tx.data)
    if tx.data[:4] == WASM_MAGIC and fork >= Fork.BYZANTIUM:
        limit = rules.limits.init_code_bytes
    elif fork >= Fork.SHANGHAI:
        limit = MAX_EVM_INIT_CODE
    else:
        return
    if size > limit:
        raise InvalidTransaction(f"max initcode size exceeded: code size {size}, limit {limit}", "init-code-size")


def _check_blobs(tx: Tx, fork: Fork, blobs: BlobParams | None) -> None:
    if tx.is_create:
        raise InvalidTransaction("blob transaction must not create a contract", "blob-create")
    if not tx.blob_hashes:
        raise InvalidTransaction("blob transaction has no blobs", "blob-count")
    if any(blob_hash[0] != 1 for blob_hash in tx.blob_hashes):
        raise InvalidTransaction("blob hash has an unknown version", "blob-version")
    limit = MAX_TX_BLOBS if fork >= Fork.OSAKA else blobs.maximum if blobs is not None else 0
    if limit and len(tx.blob_hashes) > limit:
        raise InvalidTransaction(f"too many blobs: have {len(tx.blob_hashes)}, limit {limit}", "blob-count")


def check_gas_cap(tx: Tx, fork: Fork) -> None:
    """The most gas a transaction of a block may have from Osaka on (EIP-7825); trials may have more.

    Raises:
        InvalidTransaction: It has more.
    """
    if fork >= Fork.OSAKA and tx.gas > MAX_TX_GAS:
        raise InvalidTransaction(
            f"transaction gas limit too high: have {tx.gas}, limit {MAX_TX_GAS} (EIP-7825)", "gas-cap"
        )


def check_account(tx: Tx, balance: int, nonce: int, code: bytes, env: BlockEnv, *, exact_nonce: bool = True) -> None:
    """Rules that need the sender's account and the block's prices.

    Args:
        exact_nonce: False for a pool, which keeps nonces from the future.

    Raises:
        InvalidTransaction: With the reason in the words clients look for.
    """
    if tx.nonce < nonce:
        raise InvalidTransaction(f"nonce too low: address {_who(tx)}, tx: {tx.nonce} state: {nonce}", "nonce-too-low")
    if exact_nonce and tx.nonce > nonce:
        raise InvalidTransaction(f"nonce too high: address {_who(tx)}, tx: {tx.nonce} state: {nonce}", "nonce-too-high")
    # EIP-3607 holds for all of history. Contracts are what most people impersonate.
    if code and not is_delegation(code) and not is_unsigned(tx):
        raise InvalidTransaction(f"sender not an eoa: address {_who(tx)}, len(code): {len(code)}", "sender-has-code")
    if env.base_fee is not None and tx.max_fee_per_gas < env.base_fee:
        raise InvalidTransaction(
            f"max fee per gas less than block base fee: address {_who(tx)}, "
            f"maxFeePerGas: {tx.max_fee_per_gas}, baseFee: {env.base_fee}",
            "fee-too-low",
        )
    if tx.type == BLOB and tx.max_fee_per_blob_gas < env.blob_base_fee:
        raise InvalidTransaction(
            f"max fee per blob gas less than block blob gas fee: address {_who(tx)}, "
            f"blobGasFeeCap: {tx.max_fee_per_blob_gas}, blobBaseFee: {env.blob_base_fee}",
            "blob-fee-too-low",
        )
    cost = tx.gas * tx.max_fee_per_gas + tx.value + tx.blob_gas * tx.max_fee_per_blob_gas
    if balance < cost:
        raise InvalidTransaction(
            f"insufficient funds for gas * price + value: address {_who(tx)} have {balance} want {cost}", "funds"
        )


def _who(tx: Tx) -> str:
    return checksum_address(tx.sender)


def is_delegation(code: bytes) -> bool:
    """Whether code is a delegation designator (EIP-7702)."""
    return len(code) == 23 and code[:3] == DELEGATION_PREFIX


def apply_tx(state: Any, tx: Tx, env: BlockEnv) -> Executed:
    """Run a transaction that passed `check_tx` and `check_account`; leaves the state changed but not committed.

    A transaction without fees (a call) may have a price below the base fee: it then pays nothing and tips nothing.

    Raises:
        InvalidTransaction: A balance or nonce would overflow, which only accounts edited from outside can bring about;
            the state is as it was.
    """
    if tx.is_create and state.get_nonce(tx.sender) == MAX_NONCE:
        raise InvalidTransaction("nonce uint64 overflow", "nonce-max")
    state.lock_changes()
    snapshot = state.snapshot()
    try:
        executed = _apply(state, tx, env)
    except ValidationError as error:
        state.revert(snapshot)
        if env.fork >= Fork.CANCUN:
            state.clear_transient_storage()
        raise InvalidTransaction(f"a number of the state would overflow: {error}", "overflow") from error
    state.commit(snapshot)
    return executed


def _apply(state: Any, tx: Tx, env: BlockEnv) -> Executed:
    fork = env.fork
    base_fee = env.base_fee or 0
    price = tx.effective_gas_price(base_fee)
    cost = tx.gas * price
    if tx.type == BLOB and tx.max_fee_per_blob_gas:
        cost += tx.blob_gas * env.blob_base_fee
    if cost:
        state.delta_balance(tx.sender, -cost)
    # A nonce at its end wraps around in trials; `check_tx` lets no other transaction come so far.
    state.set_nonce(tx.sender, (state.get_nonce(tx.sender) + 1) & MAX_NONCE)
    intrinsic = intrinsic_gas(tx, fork)
    refund = sum(_authorize(state, authorization, env.chain_id) for authorization in tx.authorizations)
    if _is_plain_transfer(state, tx):
        return _transfer(state, tx, price, intrinsic, env)
    message = _message(state, tx, tx.gas - intrinsic, refund, fork)
    context = state.get_transaction_context_class()(
        gas_price=price, origin=tx.sender, blob_versioned_hashes=tx.blob_hashes
    )
    computation = _run(state, message, context, tx, fork)
    effects = _effects(computation)
    gas_used, before_refund = _settle(state, effects, tx.gas - computation.get_gas_remaining(), tx, price, env)
    error = computation.error if computation.is_error else None
    return Executed(
        success=error is None,
        gas_used=gas_used,
        output=computation.output,
        logs=effects.logs,
        error=None if error is None else error_words(error),
        reverted=isinstance(error, Revert),
        created=message.storage_address if message.is_create and error is None else None,
        effective_gas_price=price,
        gas_intrinsic=intrinsic,
        split=context.__dict__.get("gas_split") or GasSplit(),
        max_gas_used=before_refund,
        log_positions=effects.log_positions,
        logs_emitted=context.get_next_log_counter(),
    )


def _is_plain_transfer(state: Any, tx: Tx) -> bool:
    """Whether nothing runs: the recipient has no code and is no precompile, and nobody watches the frames."""
    return (
        tx.to is not None
        and not tx.authorizations
        and "runs_unwatched" in vars(state.computation_class)
        and tx.to not in state.computation_class.get_precompiles()
        and state.get_code_hash(tx.to) == EMPTY_HASH
        and state.get_balance(tx.sender) >= tx.value
    )


def _transfer(state: Any, tx: Tx, price: int, intrinsic: int, env: BlockEnv) -> Executed:
    """What a frame without code comes to, without the frame."""
    to: bytes = tx.to or b""
    if tx.value:
        state.delta_balance(tx.sender, -tx.value)
        state.delta_balance(to, tx.value)
    state.touch_account(to)
    effects = _Effects(0, (), (), frozenset(), frozenset((to,)))
    gas_used, before_refund = _settle(state, effects, intrinsic, tx, price, env)
    return Executed(
        success=True,
        gas_used=gas_used,
        output=b"",
        logs=(),
        error=None,
        reverted=False,
        created=None,
        effective_gas_price=price,
        gas_intrinsic=intrinsic,
        split=GasSplit(),
        max_gas_used=before_refund,
    )


def _message(state: Any, tx: Tx, gas: int, refund: int, fork: Fork) -> Message:
    """The message of the transaction's own frame."""
    if tx.to is None:
        return Message(
            gas=gas,
            to=CREATE_CONTRACT_ADDRESS,
            sender=Address(tx.sender),
            value=tx.value,
            data=b"",
            code=tx.data,
            create_address=Address(keccak(encode([tx.sender, state.get_nonce(tx.sender) - 1]))[12:]),
            refund=refund,
        )
    code = state.get_code(tx.to)
    delegated = fork >= Fork.PRAGUE and is_delegation(code)
    if delegated:
        target = code[3:]
        state.mark_address_warm(target)
        code = state.get_code(target)
    return Message(
        gas=gas,
        to=Address(tx.to),
        sender=Address(tx.sender),
        value=tx.value,
        data=tx.data,
        code=code,
        refund=refund,
        is_delegation=delegated,
    )


def _run(state: Any, message: Message, context: Any, tx: Tx, fork: Fork) -> Any:
    """Run the transaction's own frame."""
    if fork >= Fork.BERLIN:
        state.mark_address_warm(tx.sender)
        state.mark_address_warm(message.storage_address)
        for address, slots in tx.access_list:
            state.mark_address_warm(address)
            for slot in slots:
                state.mark_storage_warm(address, slot)
    if not message.is_create:
        return state.computation_class.apply_message(state, message, context)
    if has_code_nonce_or_storage(state, message.storage_address):
        computation = state.get_computation(message, context)
        computation.error = ContractCreationCollision("contract address collision")
        return computation
    return state.computation_class.apply_create_message(state, message, context)


@dataclass(frozen=True, slots=True)
class _Effects:
    """What all frames of a transaction together did beside the state; frames that failed or were undone do not count.

    Attributes:
        touched: Accounts to clear if they are empty (EIP-161), the coinbase not among them.
    """

    refund: int
    logs: tuple[Log, ...]
    log_positions: tuple[int, ...]
    deletions: frozenset[bytes]
    touched: frozenset[bytes]


def _effects(top: Any) -> _Effects:
    """Gather the effects of a computation and all below it.

    In a loop, because the base's own recursive functions reach Python's limits before the protocol's depth.
    """
    refund: int = top.msg.refund
    entries: list[tuple[int, bytes, tuple[int, ...], bytes]] = []
    deletions: set[bytes] = set()
    touched: set[bytes] = set()
    waiting: list[tuple[Any, bool]] = [(top, False)]
    while waiting:
        frame, undone = waiting.pop()
        failed = frame.is_error
        to = b"" if frame.msg.is_create else frame.msg.to
        if not failed and not undone:
            refund += frame.get_gas_meter().gas_refunded
            entries += frame._log_entries
            deletions.update(frame.accounts_to_delete)
            touched.update(frame.beneficiaries)
            touched.add(to)
        elif to == RIPEMD or (not failed and RIPEMD in frame.beneficiaries):
            # Cleared on the main chain although its frame failed, and so ever since (EIP-716).
            touched.add(RIPEMD)
        waiting += [(child, failed or undone) for child in frame.children]
    entries.sort()
    logs = tuple(
        Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data) for _, address, topics, data in entries
    )
    positions = tuple(entry[0] for entry in entries)
    return _Effects(refund, logs, positions, frozenset(deletions), frozenset(touched - {b""}))


def _settle(state: Any, effects: _Effects, used: int, tx: Tx, price: int, env: BlockEnv) -> tuple[int, int]:
    """Refund, pay the coinbase, delete accounts. Returns gas used, and the same before refunds."""
    fork = env.fork
    refund = effects.refund
    if fork < Fork.LONDON:
        refund += 24_000 * len(effects.deletions)
    floor = floor_gas(tx, fork)
    before_refund = max(used, floor)
    used -= min(refund, used // (5 if fork >= Fork.LONDON else 2))
    used = max(used, floor)
    back = (tx.gas - used) * price
    if back:
        state.delta_balance(tx.sender, back)
    tip = max(price - (env.base_fee or 0), 0)
    # Touched even by nothing, so that an empty coinbase is cleared (EIP-161).
    state.delta_balance(env.coinbase, used * tip)
    for address in effects.deletions:
        state.delete_account(address)
    if fork >= Fork.SPURIOUS_DRAGON:
        for address in effects.touched | {env.coinbase}:
            if state.account_exists(address) and state.account_is_empty(address):
                state.delete_account(address)
    if fork >= Fork.CANCUN:
        state.clear_transient_storage()
    return used, before_refund


def _authorize(state: Any, authorization: Authorization, chain_id: int) -> int:
    """Apply one authorization (EIP-7702); returns the refund it earns. A bad one is passed over."""
    if authorization.chain_id not in (0, chain_id) or authorization.nonce >= MAX_NONCE:
        return 0
    authority = authorization.authority()
    if authority is None:
        return 0
    state.mark_address_warm(authority)
    code = state.get_code(authority)
    if (code and not is_delegation(code)) or state.get_nonce(authority) != authorization.nonce:
        return 0
    refund = 12_500 if state.account_exists(authority) else 0
    if authorization.address == bytes(20):
        state.delete_code(authority)
    else:
        state.set_code(authority, DELEGATION_PREFIX + authorization.address)
    state.increment_nonce(authority)
    return refund


def system_call(state: Any, address: bytes, data: bytes, *, must_succeed: bool = True) -> bytes | None:
    """Call a system contract at the start or end of a block; returns its output, or None where it has no code.

    Args:
        state: py-evm's state.
        address: Of the contract.
        data: What it is called with.
        must_succeed: False for those whose failure a block survives (EIP-4788, EIP-2935): it leaves no trace.

    Raises:
        InvalidBlock: The contract failed (EIP-7002, EIP-7251).
    """
    code = state.get_code(address)
    if not code:
        return None
    state.lock_changes()
    if "runs_unwatched" in vars(state.computation_class):
        known = run_known(state, address, code, data)
        if known is not None:
            return known
    message = Message(
        gas=SYSTEM_GAS, to=Address(address), sender=Address(SYSTEM_ADDRESS), value=0, data=data, code=code
    )
    context = state.get_transaction_context_class()(gas_price=0, origin=SYSTEM_ADDRESS)
    computation = state.computation_class.apply_message(state, message, context)
    if computation.is_error and must_succeed:
        raise InvalidBlock(f"system call to 0x{address.hex()} failed: {error_words(computation.error)}")
    output: bytes = computation.output
    return output


def free_of_charge(tx: Tx) -> Tx:
    """`tx` at price 0, for calls."""
    return replace(tx, gas_price=0 if tx.gas_price is not None else None, max_fee_per_gas=0, max_priority_fee_per_gas=0)
