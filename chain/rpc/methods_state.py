"""Proofs and access lists."""

from __future__ import annotations

from typing import Any, Final

from chain.errors import StoreCorrupt
from chain.proof import SlotProof, prove_account
from chain.records import AccountOverride
from chain.requests import LATEST, BlockRef, TxRequest
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal
from chain.rpc.formats import access_list_json, data
from chain.rpc.params import Param
from chain.trial import access_list

__all__ = ["STATE_METHODS"]

MAX_PROVEN_SLOTS = 1_024

Overrides = dict[bytes, AccountOverride] | None
StorageKey = tuple[int, str]


def get_proof(context: Context, address: bytes, keys: tuple[StorageKey, ...], ref: BlockRef) -> dict[str, Any]:
    """eth_getProof."""
    node = context.node
    try:
        proof = prove_account(node.chain, node.block(ref), address, [slot for slot, _ in keys])
    except StoreCorrupt as error:
        raise Refusal(f"{error}: the state of this block is not available") from None
    return {
        "address": data(address),
        "accountProof": [data(item) for item in proof.nodes],
        "balance": hex(proof.balance),
        "codeHash": data(proof.code_hash),
        "nonce": hex(proof.nonce),
        "storageHash": data(proof.storage_root),
        "storageProof": [_slot_json(item, name) for item, (_, name) in zip(proof.slots, keys, strict=True)],
    }


def _slot_json(item: SlotProof, name: str) -> dict[str, Any]:
    return {"key": name, "value": hex(item.value), "proof": [data(node) for node in item.nodes]}


def _key(value: Any) -> StorageKey:
    """A slot, and how to name it in the answer: in full where it was given in full, else as a quantity."""
    slot = int.from_bytes(p.storage_key(value), "big")
    return slot, f"0x{slot:064x}" if len(value) == 66 else hex(slot)


def create_access_list(context: Context, request: TxRequest, ref: BlockRef, overrides: Overrides) -> dict[str, Any]:
    """eth_createAccessList."""
    node = context.node
    created = access_list(node.chain, request, node.block(ref), overrides)
    outcome = created.outcome
    result = {"accessList": access_list_json(created.entries), "gasUsed": hex(outcome.gas_used)}
    if not outcome.is_success:
        result["error"] = outcome.error or "execution failed"
    return result


STATE_METHODS: Final = (
    Method(
        "eth_createAccessList",
        create_access_list,
        (
            Param("transaction", p.tx_request),
            Param("block", p.block_ref, LATEST),
            Param("stateOverrides", p.state_overrides, None),
        ),
        where="call",
    ),
    Method(
        "eth_getProof",
        get_proof,
        (
            Param("address", p.address),
            Param("storageKeys", p.list_of(_key, MAX_PROVEN_SLOTS)),
            Param("block", p.block_ref, LATEST),
        ),
        where="call",
    ),
)
