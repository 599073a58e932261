"""What the chain and the node are: eth_config (EIP-7910) and eth_capabilities."""

from __future__ import annotations

from typing import Any, Final

from chain.fork_config import ForkConfig, fork_configs
from chain.rpc.dispatch import Context, Method
from chain.rpc.formats import data

__all__ = ["CONFIG_METHODS"]


def config(context: Context) -> dict[str, Any]:
    """eth_config: the forks in force, next and last; the latter two null where none is to come."""
    found = fork_configs(context.node.chain)
    return {name: None if item is None else _config_json(item, context.node.chain_id) for name, item in found.items()}


def _config_json(item: ForkConfig, chain_id: int) -> dict[str, Any]:
    blobs = None
    if item.blobs is not None:
        fraction = item.blobs.update_fraction
        blobs = {"target": item.blobs.target, "max": item.blobs.maximum, "baseFeeUpdateFraction": fraction}
    return {
        "activationTime": item.activation_time,
        "blobSchedule": blobs,
        "chainId": hex(chain_id),
        "forkId": data(item.fork_id),
        "precompiles": {name: data(address) for name, address in item.precompiles.items()},
        "systemContracts": {name: data(address) for name, address in item.system_contracts.items()},
    }


def capabilities(context: Context) -> dict[str, Any]:
    """eth_capabilities: from which block on there is what. Nothing is ever pruned here."""
    head = context.node.head
    everything = {"disabled": False, "oldestBlock": "0x0"}
    kinds = ("state", "tx", "logs", "receipts", "blocks", "stateproofs")
    return {
        "head": {"number": hex(head.number), "hash": data(head.hash)},
        **dict.fromkeys(kinds, everything),
    }


CONFIG_METHODS: Final = (Method("eth_capabilities", capabilities), Method("eth_config", config))
