"""The liberties of a development chain: mining, the clock, snapshots, accounts, in every spelling that tools use.

`evm_` is Ganache's and Hardhat's, `anvil_` Foundry's, `hardhat_` Hardhat's. One function stands behind all spellings of
a thing; where two tools mean different units by one name, the description says which is taken here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chain.records import AccountOverride
from chain.requests import BlockRef, TxRequest
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal
from chain.rpc.formats import block_json, data
from chain.rpc.params import Param

__all__ = ["DEV_METHODS"]

MILLISECONDS_FROM: Final = 10**11
"""A time this large is in milliseconds: in seconds it would be after the year 5138."""
MAX_INTERVAL_S: Final = 86_400.0


# Mining


def evm_mine(context: Context, options: Any) -> str:
    """evm_mine: one block, or as many as `{"blocks": n, "timestamp": t}` asks for; a bare number is a timestamp."""
    _mine(context, options)
    return "0x0"


def mine_detailed(context: Context, options: Any) -> list[dict[str, Any]]:
    """anvil_mineDetailed, evm_mineDetailed: as evm_mine, and the blocks with their transactions."""
    first = context.node.head.number + 1
    _mine(context, options)
    refs = (BlockRef(number=number) for number in range(first, context.node.head.number + 1))
    return [block_json(context.node.block(ref), full=True) for ref in refs]


def _mine(context: Context, options: Any) -> None:
    count, timestamp = 1, None
    if isinstance(options, dict):
        count = p.loose_quantity(options.get("blocks") or 1)
        timestamp = options.get("timestamp")
    elif options is not None:
        timestamp = options
    context.node.mine(count, timestamp=None if timestamp is None else p.loose_quantity(timestamp))


def mine(context: Context, count: int, interval_s: int) -> None:
    """anvil_mine, hardhat_mine: mine a number of blocks, an interval in seconds apart."""
    context.node.mine(count, interval_s)


def set_automine(context: Context, on: bool) -> bool:
    """evm_setAutomine: mine each transaction before answering; switching it on mines what waits."""
    context.node.automine = on
    if on:
        context.node.mine_waiting()
    return True


def start_mining(context: Context, _threads: Any) -> bool:
    """miner_start: as evm_setAutomine with true."""
    return set_automine(context, True)


def stop_mining(context: Context) -> bool:
    """miner_stop: as evm_setAutomine with false."""
    return set_automine(context, False)


def get_automine(context: Context) -> bool:
    """anvil_getAutomine, hardhat_getAutomine: whether each transaction is mined before the answer."""
    return context.node.automine


def set_interval(context: Context, seconds: float) -> bool:
    """evm_setIntervalMining, anvil_setIntervalMining: mine every so many seconds, fractions allowed; 0 stops that.

    Seconds, as Foundry has it; Hardhat's milliseconds are taken by hardhat_setIntervalMining. Automine stays as it is,
    so that both may be on.
    """
    context.node.mine_every(seconds)
    return True


def set_interval_ms(context: Context, milliseconds: float) -> bool:
    """hardhat_setIntervalMining: as evm_setIntervalMining, in milliseconds."""
    context.node.mine_every(milliseconds / 1000)
    return True


def get_interval(context: Context) -> float | None:
    """anvil_getIntervalMining: seconds between blocks, or null."""
    return context.node.block_time_s or None


def set_gas_limit(context: Context, gas_limit: int) -> bool:
    """evm_setBlockGasLimit: give blocks from the next one on this gas limit."""
    if not 5_000 <= gas_limit < 1 << 63:
        raise p.BadValue("invalid argument 0 (gasLimit): must be between 5000 and 2**63")
    context.node.gas_limit = gas_limit
    return True


def set_base_fee(context: Context, fee: int) -> None:
    """anvil_setNextBlockBaseFeePerGas: fix the base fee of the next block, in wei."""
    if context.node.next_base_fee() is None:
        raise Refusal("there is no base fee before London")
    context.node.next_base_fee_override = fee


def set_coinbase(context: Context, address: bytes) -> None:
    """anvil_setCoinbase: say who is paid for blocks from the next one on."""
    context.node.coinbase = address


def set_randao(context: Context, value: bytes) -> None:
    """hardhat_setPrevRandao: fix the randomness beacon of the next block."""
    context.node.next_randao = value


def set_logging(_context: Context, _on: bool) -> None:
    """anvil_setLoggingEnabled, hardhat_setLoggingEnabled: taken and passed over; requests are not logged."""


# The clock


def increase_time(context: Context, seconds: int) -> int:
    """evm_increaseTime: move the clock; by how many seconds it is ahead, in all."""
    return context.node.increase_time(seconds)


def set_time(context: Context, timestamp: int) -> int:
    """evm_setTime: let the clock show this time, in seconds (from 10^11 on in milliseconds); how far that moved it."""
    if timestamp >= MILLISECONDS_FROM:
        timestamp //= 1000
    return context.node.set_time(timestamp)


def set_next_timestamp(context: Context, timestamp: int) -> None:
    """evm_setNextBlockTimestamp: give the next block a timestamp, in seconds; the clock goes on from there."""
    context.node.set_next_timestamp(timestamp)


def set_timestamp_interval(context: Context, seconds: int) -> None:
    """anvil_setBlockTimestampInterval: let each block be so many seconds after the last, whatever the clock shows."""
    if not 0 < seconds <= MAX_INTERVAL_S:
        raise p.BadValue(f"invalid argument 0 (seconds): must be between 1 and {MAX_INTERVAL_S:g}")
    context.node.clock.interval_s = seconds


def remove_timestamp_interval(context: Context) -> bool:
    """anvil_removeBlockTimestampInterval: let timestamps follow the clock again; whether they did not."""
    was = context.node.clock.interval_s is not None
    context.node.clock.interval_s = None
    return was


# The chain as a whole


def snapshot(context: Context) -> str:
    """evm_snapshot: remember chain, clock, pool and settings; an id for evm_revert."""
    return hex(context.node.snapshot())


def revert(context: Context, identifier: int) -> bool:
    """evm_revert: go back to a snapshot, which is used up with all later ones; false if there is none."""
    return context.node.revert(identifier)


def rollback(context: Context, depth: int) -> None:
    """anvil_rollback: take the last blocks back."""
    context.node.rollback(depth)


def reorganize(context: Context, depth: int, pairs: Any) -> None:
    """anvil_reorg: put as many other blocks in the place of the last ones.

    `txBlockPairs` places transactions in them: [transaction, 0] in the first new block, and so on; a transaction is
    signed, in hex, or an object as eth_sendTransaction takes it.
    """
    context.node.reorganize(depth, _placed(pairs, depth))


def _placed(pairs: Any, depth: int) -> dict[int, list[bytes | TxRequest]]:
    """Transactions by block."""
    placed: dict[int, list[bytes | TxRequest]] = {}
    for pair in p.list_of(_anything)(pairs or []):
        if not isinstance(pair, list) or len(pair) != 2:
            raise p.BadValue("invalid argument 1 (txBlockPairs): expected pairs of a transaction and a block")
        number = p.loose_quantity(pair[1])
        if number >= depth:
            raise p.BadValue(f"invalid argument 1 (txBlockPairs): block {number} of {depth} new ones")
        placed.setdefault(number, []).append(p.data(pair[0]) if isinstance(pair[0], str) else p.tx_request(pair[0]))
    return placed


def set_rpc_url(_context: Context, _url: str) -> None:
    """anvil_setRpcUrl, hardhat_setRpcUrl: refused, since no other chain is forked."""
    raise Refusal("forking another chain is not supported")


def set_min_gas_price(context: Context, _price: int) -> None:
    """anvil_setMinGasPrice, hardhat_setMinGasPrice: refused, as other nodes do where there is a base fee (EIP-1559)."""
    if context.node.next_base_fee() is None:
        raise Refusal("a least gas price is not kept")
    raise Refusal("a least gas price has no meaning with EIP-1559: anvil_setNextBlockBaseFeePerGas sets the base fee")


def reset(context: Context, options: Any) -> bool:
    """anvil_reset, hardhat_reset: begin again at block 0. Forking another chain is not offered."""
    forking = options.get("forking") if isinstance(options, dict) else None
    # viem's test client sends an empty object where nothing is to be forked.
    if forking and not (isinstance(forking, dict) and forking.get("jsonRpcUrl") is None):
        raise Refusal("forking another chain is not supported")
    context.node.reset()
    return True


def dump_state(context: Context) -> str:
    """anvil_dumpState, hardhat_dumpState: the whole chain in one document (format "ewasm-state", version 1)."""
    return data(context.node.dump())


def load_state(context: Context, document: bytes) -> bool:
    """anvil_loadState, hardhat_loadState: put a dumped chain in the place of this one."""
    context.node.load(document)
    return True


# Accounts


def set_balance(context: Context, address: bytes, balance: int) -> None:
    """anvil_setBalance: give an account this balance, in wei."""
    if balance >> 255:
        raise p.BadValue("invalid argument 1 (balance): number > 255 bits, and then nothing could be paid to it")
    context.node.edit(address, AccountOverride(balance=balance))


def add_balance(context: Context, address: bytes, amount: int) -> None:
    """anvil_addBalance: give an account so many wei on top of what it has."""
    set_balance(context, address, context.node.state().balance(address) + amount)


def set_code(context: Context, address: bytes, code: bytes) -> None:
    """anvil_setCode: put code at an address, unchecked."""
    context.node.edit(address, AccountOverride(code=code))


def set_nonce(context: Context, address: bytes, nonce: int) -> None:
    """anvil_setNonce: give an account this nonce."""
    if nonce >> 64:
        raise p.BadValue("invalid argument 1 (nonce): number > 64 bits")
    context.node.edit(address, AccountOverride(nonce=nonce))


def set_storage(context: Context, address: bytes, key: bytes, value: bytes) -> bool:
    """anvil_setStorageAt: give a slot of an account's storage this value."""
    slot = int.from_bytes(key, "big")
    context.node.edit(address, AccountOverride(storage_diff={slot: int.from_bytes(value, "big")}))
    return True


def impersonate(context: Context, address: bytes) -> bool:
    """anvil_impersonateAccount: take transactions from an account without its key."""
    context.node.impersonated.add(address)
    return True


def stop_impersonating(context: Context, address: bytes) -> bool:
    """anvil_stopImpersonatingAccount: ask for the key again."""
    context.node.impersonated.discard(address)
    return True


def impersonate_all(context: Context, on: bool) -> bool:
    """anvil_autoImpersonateAccount: take transactions from every account without its key."""
    context.node.impersonate_all = on
    return True


def _anything(value: Any) -> Any:
    return value


def _duration(most: float) -> Callable[[Any], float]:
    """A parser of a number that is not negative, fractions allowed."""

    def parse(value: Any) -> float:
        number = value if isinstance(value, float) else float(p.loose_quantity(value))
        if not 0 <= number <= most:
            raise p.BadValue(f"expected a number between 0 and {most:g}")
        return number

    return parse


_ADDRESS = Param("address", p.address)
_BALANCE = Param("balance", p.loose_quantity)
_NONCE = Param("nonce", p.loose_quantity)
_CODE = Param("code", p.data)
_SLOT = (_ADDRESS, Param("slot", p.storage_key), Param("value", p.storage_key))
_OPTIONS = (Param("options", _anything, None),)
_ON = (Param("on", p.boolean),)
_SECONDS = (Param("seconds", _duration(MAX_INTERVAL_S)),)

# (names, function, parameters); "*_x" stands for anvil_x and hardhat_x.
_ROWS: Final[tuple[tuple[str, Callable[..., Any], tuple[Param, ...]], ...]] = (
    ("*_addBalance", add_balance, (_ADDRESS, Param("amount", p.loose_quantity))),
    ("*_autoImpersonateAccount", impersonate_all, _ON),
    ("*_dumpState", dump_state, ()),
    ("*_getAutomine", get_automine, ()),
    ("*_impersonateAccount evm_unlockUnknownAccount", impersonate, (_ADDRESS,)),
    ("*_loadState", load_state, (Param("state", p.data),)),
    ("*_mine", mine, (Param("blocks", p.loose_quantity, 1), Param("interval", p.loose_quantity, 0))),
    ("*_reset", reset, _OPTIONS),
    ("*_setBalance evm_setAccountBalance", set_balance, (_ADDRESS, _BALANCE)),
    ("*_setCode evm_setAccountCode", set_code, (_ADDRESS, _CODE)),
    ("*_setCoinbase", set_coinbase, (_ADDRESS,)),
    ("*_setLoggingEnabled", set_logging, _ON),
    ("*_setMinGasPrice", set_min_gas_price, (Param("price", p.loose_quantity),)),
    ("*_setNextBlockBaseFeePerGas", set_base_fee, (Param("baseFee", p.loose_quantity),)),
    ("*_setNonce evm_setAccountNonce", set_nonce, (_ADDRESS, _NONCE)),
    ("*_setPrevRandao", set_randao, (Param("prevRandao", p.storage_key),)),
    ("*_setRpcUrl", set_rpc_url, (Param("url", p.text),)),
    ("*_setStorageAt evm_setAccountStorageAt", set_storage, _SLOT),
    ("*_stopImpersonatingAccount evm_lockUnknownAccount", stop_impersonating, (_ADDRESS,)),
    ("anvil_getIntervalMining", get_interval, ()),
    ("anvil_mineDetailed evm_mineDetailed anvil_mine_detailed evm_mine_detailed", mine_detailed, _OPTIONS),
    ("anvil_removeBlockTimestampInterval hardhat_removeBlockTimestampInterval", remove_timestamp_interval, ()),
    ("anvil_reorg", reorganize, (Param("depth", p.loose_quantity), Param("txBlockPairs", _anything, None))),
    (
        "anvil_setBlockTimestampInterval hardhat_setBlockTimestampInterval",
        set_timestamp_interval,
        (Param("seconds", p.loose_quantity),),
    ),
    ("anvil_rollback", rollback, (Param("depth", p.loose_quantity, 1),)),
    ("evm_increaseTime anvil_increaseTime", increase_time, (Param("seconds", p.loose_quantity),)),
    ("evm_mine", evm_mine, _OPTIONS),
    ("evm_revert anvil_revert", revert, (Param("snapshot", p.loose_quantity),)),
    ("evm_setAutomine anvil_setAutomine", set_automine, _ON),
    ("evm_setBlockGasLimit anvil_setBlockGasLimit", set_gas_limit, (Param("gasLimit", p.loose_quantity),)),
    ("evm_setIntervalMining anvil_setIntervalMining", set_interval, _SECONDS),
    (
        "evm_setNextBlockTimestamp anvil_setNextBlockTimestamp",
        set_next_timestamp,
        (Param("timestamp", p.loose_quantity),),
    ),
    ("evm_setTime anvil_setTime", set_time, (Param("timestamp", p.loose_quantity),)),
    ("evm_snapshot anvil_snapshot", snapshot, ()),
    ("miner_start", start_mining, (Param("threads", _anything, None),)),
    ("miner_stop", stop_mining, ()),
    (
        "hardhat_setIntervalMining",
        set_interval_ms,
        (Param("milliseconds", _duration(MAX_INTERVAL_S * 1000)),),
    ),
)


def _names(spelling: str) -> list[str]:
    names: list[str] = []
    for name in spelling.split():
        names += [name.replace("*", prefix) for prefix in ("anvil", "hardhat")] if name.startswith("*") else [name]
    return names


DEV_METHODS: Final = tuple(
    Method(name, function, params, "own") for spelling, function, params in _ROWS for name in _names(spelling)
)
