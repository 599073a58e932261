"""The client itself: what it is, which chain it serves, what it calls itself."""

from __future__ import annotations

from typing import Any, Final

from chain.crypto import keccak
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.formats import data
from chain.rpc.params import Param

__all__ = ["NODE_METHODS"]

_NAMESPACES: Final = (
    "anvil",
    "debug",
    "eth",
    "evm",
    "ewasm",
    "erigon",
    "hardhat",
    "miner",
    "net",
    "ots",
    "personal",
    "rpc",
    "testing",
    "trace",
    "txpool",
    "web3",
)


def client_version(context: Context) -> str:
    """web3_clientVersion: name, version, platform."""
    return context.node.client_version


def sha3(_context: Context, value: bytes) -> str:
    """web3_sha3: Keccak-256."""
    return data(keccak(value))


def net_version(context: Context) -> str:
    """net_version, eth_networkId: the chain id in decimal."""
    return str(context.node.chain_id)


def listening(_context: Context) -> bool:
    """net_listening: always true."""
    return True


def peer_count(_context: Context) -> str:
    """net_peerCount: none."""
    return "0x0"


def chain_id(context: Context) -> str:
    """eth_chainId: EIP-155."""
    return hex(context.node.chain_id)


def syncing(_context: Context) -> bool:
    """eth_syncing: never."""
    return False


def coinbase(context: Context) -> str:
    """eth_coinbase: who is paid for blocks."""
    return data(context.node.coinbase)


def mining(context: Context) -> bool:
    """eth_mining: whether each transaction is mined at once."""
    return context.node.automine


def hashrate(_context: Context) -> str:
    """eth_hashrate: none, since nothing is proven by work here."""
    return "0x0"


def genesis_time(context: Context) -> int:
    """anvil_getGenesisTime: timestamp of block 0, in seconds."""
    record = context.node.chain.block_by_number(0)
    return 0 if record is None else record.timestamp


def protocol_version(_context: Context) -> str:
    """eth_protocolVersion: eth/68."""
    return "0x44"


def modules(_context: Context) -> dict[str, str]:
    """rpc_modules: the namespaces served."""
    return dict.fromkeys(_NAMESPACES, "1.0")


def anvil_node_info(context: Context) -> dict[str, Any]:
    """anvil_nodeInfo: head, fork, and what blocks are made with."""
    node = context.node
    head = node.head
    fork = node.chain.schedule.fork_name_at(head.number + 1, head.timestamp + 1)
    return {
        "currentBlockNumber": hex(head.number),
        "currentBlockTimestamp": head.timestamp,
        "currentBlockHash": data(head.hash),
        "hardFork": fork,
        "transactionOrder": "fees",
        "environment": {
            "baseFee": hex(node.next_base_fee() or 0),
            "chainId": node.chain_id,
            "gasLimit": hex(node.gas_limit or head.header.gas_limit),
            "gasPrice": hex(node.gas_price()),
        },
        "forkConfig": {"forkUrl": None, "forkBlockNumber": None, "forkRetryBackoff": None},
    }


def metadata(context: Context) -> dict[str, Any]:
    """anvil_metadata, hardhat_metadata: client, chain, head and snapshots."""
    node = context.node
    return {
        "clientVersion": node.client_version,
        "chainId": node.chain_id,
        "instanceId": data(node.instance_id),
        "latestBlockNumber": node.head.number,
        "latestBlockHash": data(node.head.hash),
        "snapshots": {hex(number): data(head) for number, head in node.snapshots.items()},
    }


NODE_METHODS: Final = (
    Method("anvil_getGenesisTime", genesis_time),
    Method("anvil_metadata", metadata, where="own"),
    Method("anvil_nodeInfo", anvil_node_info),
    Method("eth_chainId", chain_id, where="loop"),
    Method("eth_coinbase", coinbase, where="loop"),
    Method("eth_hashrate", hashrate, where="loop"),
    Method("eth_mining", mining, where="loop"),
    Method("eth_networkId", net_version, where="loop"),
    Method("eth_protocolVersion", protocol_version, where="loop"),
    Method("eth_syncing", syncing, where="loop"),
    Method("hardhat_metadata", metadata, where="own"),
    Method("net_listening", listening, where="loop"),
    Method("net_peerCount", peer_count, where="loop"),
    Method("net_version", net_version, where="loop"),
    Method("rpc_modules", modules, where="loop"),
    Method("web3_clientVersion", client_version, where="loop"),
    Method("web3_sha3", sha3, (Param("data", p.data),), where="loop"),
)
