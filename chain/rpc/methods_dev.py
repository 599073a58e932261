"""The client itself, the pool, raw records, and the liberties of a development chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from chain.accounts import checksum_address
from chain.crypto import keccak
from chain.records import AccountOverride
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal
from chain.rpc.formats import data, pool_json, pool_line
from chain.rpc.params import Param
from chain.transaction import Tx

__all__ = ["DEV_METHODS"]


def client_version(context: Context) -> str:
    """web3_clientVersion."""
    return context.node.client_version


def sha3(_context: Context, value: bytes) -> str:
    """web3_sha3."""
    return data(keccak(value))


def net_version(context: Context) -> str:
    """net_version: the chain id in decimal."""
    return str(context.node.chain_id)


def listening(_context: Context) -> bool:
    """net_listening."""
    return True


def peer_count(_context: Context) -> str:
    """net_peerCount."""
    return "0x0"


def chain_id(context: Context) -> str:
    """eth_chainId."""
    return hex(context.node.chain_id)


def syncing(_context: Context) -> bool:
    """eth_syncing."""
    return False


def coinbase(context: Context) -> str:
    """eth_coinbase."""
    return data(context.node.coinbase)


def mining(context: Context) -> bool:
    """eth_mining."""
    return context.node.automine


def protocol_version(_context: Context) -> str:
    """eth_protocolVersion."""
    return "0x44"


def modules(_context: Context) -> dict[str, str]:
    """rpc_modules."""
    return dict.fromkeys(("eth", "net", "web3", "debug", "txpool", "evm", "anvil", "hardhat", "ewasm"), "1.0")


# The pool


def _split(context: Context, sender: bytes) -> tuple[list[Tx], list[Tx]]:
    return context.node.pool.split(sender, context.node.chain.state_at().nonce(sender))


def _content(context: Context, show: Callable[[list[Tx]], Any]) -> dict[str, dict[str, Any]]:
    pending: dict[str, Any] = {}
    queued: dict[str, Any] = {}
    for sender in sorted(context.node.pool.senders):
        ready, waiting = _split(context, sender)
        if ready:
            pending[checksum_address(sender)] = show(ready)
        if waiting:
            queued[checksum_address(sender)] = show(waiting)
    return {"pending": pending, "queued": queued}


def pool_content(context: Context) -> dict[str, dict[str, Any]]:
    """txpool_content."""
    return _content(context, pool_json)


def pool_content_from(context: Context, sender: bytes) -> dict[str, dict[str, Any]]:
    """txpool_contentFrom."""
    ready, waiting = _split(context, sender)
    return {"pending": pool_json(ready), "queued": pool_json(waiting)}


def pool_inspect(context: Context) -> dict[str, dict[str, Any]]:
    """txpool_inspect."""
    return _content(context, lambda transactions: {str(tx.nonce): pool_line(tx) for tx in transactions})


def pool_status(context: Context) -> dict[str, str]:
    """txpool_status."""
    parts = [_split(context, sender) for sender in context.node.pool.senders]
    return {
        "pending": hex(sum(len(ready) for ready, _ in parts)),
        "queued": hex(sum(len(waiting) for _, waiting in parts)),
    }


def pending_transactions(context: Context) -> list[dict[str, Any]]:
    """eth_pendingTransactions: of the node's own accounts."""
    found: list[dict[str, Any]] = []
    for account in context.node.accounts:
        found.extend(pool_json(context.node.pool.of_sender(account.address)).values())
    return found


# Mining and the clock


def evm_mine(context: Context, options: Any) -> str:
    """evm_mine: one block, or as many as `{"blocks": n, "timestamp": t}` asks for; a bare number is a timestamp."""
    count, timestamp = 1, None
    if isinstance(options, dict):
        count = p.loose_quantity(options.get("blocks") or 1)
        timestamp = options.get("timestamp")
    elif options is not None:
        timestamp = options
    context.node.mine(count, timestamp=None if timestamp is None else p.loose_quantity(timestamp))
    return "0x0"


def mine(context: Context, count: int, interval_s: int) -> None:
    """anvil_mine, hardhat_mine."""
    context.node.mine(count, interval_s)


def increase_time(context: Context, seconds: int) -> int:
    """evm_increaseTime: by how much the clock is ahead, in all."""
    return context.node.increase_time(seconds)


def set_next_timestamp(context: Context, timestamp: int) -> None:
    """evm_setNextBlockTimestamp."""
    context.node.set_next_timestamp(timestamp)


def snapshot(context: Context) -> str:
    """evm_snapshot."""
    return hex(context.node.snapshot())


def revert(context: Context, identifier: int) -> bool:
    """evm_revert."""
    return context.node.revert(identifier)


def set_automine(context: Context, on: bool) -> bool:
    """evm_setAutomine; switching on mines what waits."""
    context.node.automine = on
    if on:
        context.node.mine_waiting()
    return True


def get_automine(context: Context) -> bool:
    """anvil_getAutomine, hardhat_getAutomine."""
    return context.node.automine


def set_gas_limit(context: Context, gas_limit: int) -> bool:
    """evm_setBlockGasLimit."""
    if not 5_000 <= gas_limit < 1 << 63:
        raise p.BadValue("invalid argument 0 (gasLimit): must be between 5000 and 2**63")
    context.node.gas_limit = gas_limit
    return True


def set_base_fee(context: Context, fee: int) -> None:
    """anvil_setNextBlockBaseFeePerGas."""
    if context.node.next_base_fee() is None:
        raise Refusal("there is no base fee before London")
    context.node.next_base_fee_override = fee


def set_coinbase(context: Context, address: bytes) -> None:
    """anvil_setCoinbase."""
    context.node.coinbase = address


# Accounts


def set_balance(context: Context, address: bytes, balance: int) -> None:
    """anvil_setBalance."""
    if balance >> 255:
        raise p.BadValue("invalid argument 1 (balance): number > 255 bits, and then nothing could be paid to it")
    context.node.edit(address, AccountOverride(balance=balance))


def set_code(context: Context, address: bytes, code: bytes) -> None:
    """anvil_setCode."""
    context.node.edit(address, AccountOverride(code=code))


def set_nonce(context: Context, address: bytes, nonce: int) -> None:
    """anvil_setNonce."""
    if nonce >> 64:
        raise p.BadValue("invalid argument 1 (nonce): number > 64 bits")
    context.node.edit(address, AccountOverride(nonce=nonce))


def set_storage(context: Context, address: bytes, key: bytes, value: bytes) -> bool:
    """anvil_setStorageAt."""
    slot = int.from_bytes(key, "big")
    context.node.edit(address, AccountOverride(storage_diff={slot: int.from_bytes(value, "big")}))
    return True


def impersonate(context: Context, address: bytes) -> bool:
    """anvil_impersonateAccount."""
    context.node.impersonated.add(address)
    return True


def stop_impersonating(context: Context, address: bytes) -> bool:
    """anvil_stopImpersonatingAccount."""
    context.node.impersonated.discard(address)
    return True


def impersonate_all(context: Context, on: bool) -> bool:
    """anvil_autoImpersonateAccount."""
    context.node.impersonate_all = on
    return True


def drop_transaction(context: Context, tx_hash: bytes) -> bool:
    """anvil_dropTransaction."""
    return context.node.pool.remove(tx_hash) is not None


def _anything(value: Any) -> Any:
    return value


_ADDRESS = Param("address", p.address)
_HASH = Param("hash", p.hash32)

# Said by anvil and by hardhat; each row is (name without prefix, function, parameters).
_BOTH: Final = (
    ("setBalance", set_balance, (_ADDRESS, Param("balance", p.loose_quantity))),
    ("setCode", set_code, (_ADDRESS, Param("code", p.data))),
    ("setNonce", set_nonce, (_ADDRESS, Param("nonce", p.loose_quantity))),
    ("setStorageAt", set_storage, (_ADDRESS, Param("slot", p.storage_key), Param("value", p.storage_key))),
    ("impersonateAccount", impersonate, (_ADDRESS,)),
    ("stopImpersonatingAccount", stop_impersonating, (_ADDRESS,)),
    ("mine", mine, (Param("blocks", p.loose_quantity, 1), Param("interval", p.loose_quantity, 0))),
    ("dropTransaction", drop_transaction, (_HASH,)),
    ("setCoinbase", set_coinbase, (_ADDRESS,)),
    ("setNextBlockBaseFeePerGas", set_base_fee, (Param("baseFee", p.loose_quantity),)),
    ("getAutomine", get_automine, ()),
)

_OWNED: Final = (
    Method("evm_mine", evm_mine, (Param("options", _anything, None),)),
    Method("evm_increaseTime", increase_time, (Param("seconds", p.loose_quantity),)),
    Method("evm_setNextBlockTimestamp", set_next_timestamp, (Param("timestamp", p.loose_quantity),)),
    Method("evm_snapshot", snapshot),
    Method("evm_revert", revert, (Param("snapshot", p.loose_quantity),)),
    Method("evm_setAutomine", set_automine, (Param("on", p.boolean),)),
    Method("evm_setBlockGasLimit", set_gas_limit, (Param("gasLimit", p.loose_quantity),)),
    Method("anvil_autoImpersonateAccount", impersonate_all, (Param("on", p.boolean),)),
    Method("eth_pendingTransactions", pending_transactions),
    Method("txpool_content", pool_content),
    Method("txpool_contentFrom", pool_content_from, (_ADDRESS,)),
    Method("txpool_inspect", pool_inspect),
    Method("txpool_status", pool_status),
    *(
        Method(f"{prefix}_{name}", function, params)
        for prefix in ("anvil", "hardhat")
        for name, function, params in _BOTH
    ),
)

DEV_METHODS: Final = (
    Method("web3_clientVersion", client_version, where="loop"),
    Method("web3_sha3", sha3, (Param("data", p.data),), where="loop"),
    Method("net_version", net_version, where="loop"),
    Method("net_listening", listening, where="loop"),
    Method("net_peerCount", peer_count, where="loop"),
    Method("eth_chainId", chain_id, where="loop"),
    Method("eth_coinbase", coinbase, where="loop"),
    Method("eth_mining", mining, where="loop"),
    Method("eth_protocolVersion", protocol_version, where="loop"),
    Method("eth_syncing", syncing, where="loop"),
    Method("rpc_modules", modules, where="loop"),
    *(replace(method, where="own") for method in _OWNED),
)
