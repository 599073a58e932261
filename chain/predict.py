"""What a contract will cost, told before anybody pays: its deployment to the unit, its entry points as upper bounds.

The deployment is tried on a chain of its own and taken apart; the bounds come from `ewasm.metering.worst_case` and the
EVM's prices for state (EIP-2929, 2200, 1153; the yellow paper for the rest), cold and new in every case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain.accounts import derive_accounts
from chain.app import NodeOptions, open_node
from chain.forks import Fork, parse_fork
from chain.records import CallRequest
from chain.reverts import revert_message
from chain.transaction import Tx, intrinsic_gas
from ewasm.contract import Contract, is_wasm
from ewasm.eei.table import HostFunction
from ewasm.metering.schedule import PARTICLES_PER_GAS
from ewasm.metering.worst_case import Unbounded, WorstCase
from ewasm.rules import Rules

__all__ = ["STATE_BOUNDS", "DeployGas", "default_fork", "entry_bounds", "predict_deploy"]

DEPOSIT_BYTE: Final = 200
WORD: Final = 32

STATE_BOUNDS: Final = {
    "getExternalBalance": 2_600,
    "getExternalCodeSize": 2_600,
    "getExternalCodeHash": 2_600,
    "externalCodeCopy": 2_600,
    "getBlockHash": 20,
    "getSelfBalance": 5,
    "storageLoad": 2_100,
    "storageStore": 22_100,
    "transientLoad": 100,
    "transientStore": 100,
    "log": 375,
    "selfDestruct": 5_000 + 2_600 + 25_000,
}
"""Most gas of the host functions that EWASM_2026 prices as the EVM does (Berlin and later), lengths left out."""

_CALLS: Final = frozenset({"call", "callCode", "callDelegate", "callStatic", "create", "create2"})
_LOG_TOPIC: Final = 375
_LOG_BYTE: Final = 8
_COPY_WORD: Final = 3


@dataclass(frozen=True, slots=True)
class DeployGas:
    """Gas of a creation, in whole gas. The parts add up to `total`.

    Attributes:
        total: What the sender pays.
        base: 21,000 and 32,000 for any creation, and EIP-3860's price of init code.
        calldata: Bytes of the transaction.
        activation: Validation and compilation of the code, by the byte.
        deposit: 200 for each byte that is stored.
        execution: Everything else: the constructor and the memory it starts with, and what EIP-7623 adds.
        stored_bytes: Size of the stored code.
        error: Why it fails, or None; then nothing but `total` is meaningful.
    """

    total: int
    base: int
    calldata: int
    activation: int
    deposit: int
    execution: int
    stored_bytes: int
    error: str | None = None


def default_fork(rules: Rules) -> str:
    """The fork that `ewasm node` runs these rules on."""
    return "Prague" if rules.interface >= 2026 else "Byzantium"


def predict_deploy(data: bytes, rules: Rules, fork: str | None = None, value: int = 0) -> DeployGas:
    """Try a creation on a new chain.

    Args:
        data: Of the transaction: a module with its arguments, an init module, EVM init code.
        rules: Rule set of the chain; one that `ewasm.rules.RULES` knows by name.
        fork: Name; the one that goes with the rules unless given.
        value: Wei sent along.
    """
    name = fork or default_fork(rules)
    node = open_node(NodeOptions(fork=name, rules=rules.name, accounts=1, gas_limit=1 << 40))
    sender = derive_accounts(count=1)[0].address
    request = CallRequest(sender=sender, data=data, value=value, gas=1 << 32)
    try:
        outcome = node.chain.call(request, node.head)
    finally:
        node.chain.close()
    tx = Tx(type=0, chain_id=1, nonce=0, gas=0, to=None, value=value, data=data, sender=sender)
    known = parse_fork(name)
    zeros = data.count(0)
    calldata = 4 * zeros + (16 if known >= Fork.ISTANBUL else 68) * (len(data) - zeros)
    base = intrinsic_gas(tx, known) - calldata
    if not outcome.is_success:
        reason = revert_message(outcome.output) if outcome.is_revert else outcome.error
        return DeployGas(outcome.gas_used, base, calldata, 0, 0, 0, 0, reason or "the creation fails")
    stored = outcome.output
    activation = rules.activation_gas(data) if is_wasm(data) else 0
    if is_wasm(stored) and not _is_own_constructor(data, rules):
        activation += rules.activation_gas(stored)
    deposit = DEPOSIT_BYTE * len(stored)
    return DeployGas(
        total=outcome.gas_used,
        base=base,
        calldata=calldata,
        activation=activation,
        deposit=deposit,
        execution=outcome.gas_used - base - calldata - activation - deposit,
        stored_bytes=len(stored),
    )


def _is_own_constructor(data: bytes, rules: Rules) -> bool:
    from ewasm.contract import check

    limits = rules.limits
    return is_wasm(data) and check(data, rules, size_limit=max(limits.code_bytes, limits.init_code_bytes)).has_deploy


def entry_bounds(contract: Contract) -> dict[str, int | str]:
    """For `main`, and `deploy` where there is one: most gas of a run that ends well, or why there is no bound.

    Gas of the frame: what it starts with (memory, data segments), instructions, host functions; not what a transaction
    costs before it.
    """
    rules, valid = contract.rules, contract.valid
    rows = [entry.row for entry in contract.imports]
    worst = WorstCase(
        valid,
        contract.schedule,
        lambda index, operands, most: _host_bound(rows[index], operands, most, contract),
        rules.limits.memory_pages,
    )
    schedule = contract.schedule
    start = (
        schedule.initial_page * contract.initial_pages
        + schedule.initial_byte * contract.initial_bytes
        + schedule.initial_entry * contract.initial_entries
    )
    found: dict[str, int | str] = {}
    for name, index in contract.entries.items():
        try:
            found[name] = -(-(start + worst.function(index)) // PARTICLES_PER_GAS)
        except Unbounded as reason:
            found[name] = f"unbounded ({reason})"
    return found


def _length(operand: int | None, most: int) -> int:
    return most if operand is None else min(operand, most)


def _words(size: int) -> int:
    return -(-size // WORD)


def _host_bound(row: HostFunction, operands: Sequence[int | None], most: int, contract: Contract) -> int:
    """Most particles of a call of a host function."""
    if row.name in _CALLS:
        raise Unbounded(f"{row.module}.{row.name}: the cost is the callee's")
    given = [*operands] or [None] * len(row.params)
    if row.name == "useGas":
        if given[0] is None:
            raise Unbounded("ethereum.useGas of an amount that is no constant")
        return given[0] * PARTICLES_PER_GAS
    host = contract.schedule.host
    if row.name == "log":
        size, topics = _length(given[1], most), 4 if given[2] is None else min(given[2], 4)
        return (375 + _LOG_TOPIC * topics + _LOG_BYTE * size) * PARTICLES_PER_GAS
    if contract.rules.interface >= 2026 and row.name in STATE_BOUNDS:
        gas = STATE_BOUNDS[row.name]
        if row.name == "externalCodeCopy":
            gas += _COPY_WORD * _words(_length(given[3], most))
        return gas * PARTICLES_PER_GAS
    price = host[row.price]
    size = 0
    if row.price == "bignum_exp":
        size = WORD
    elif price.per_word or price.per_byte:
        size = _length(given[1 if row.topic == "crypto" else -1], most)
    total = price.base + price.per_word * _words(size) + price.per_byte * size
    extra = {"storage_store": ("storage_store_new",), "selfdestruct": ("selfdestruct_new_account",)}
    return total + sum(host[name].base for name in extra.get(row.price, ()))
