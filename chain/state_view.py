"""Accounts as they stand behind a block."""

from __future__ import annotations

from chain.state_db import StateDB

__all__ = ["StateView"]


class StateView:
    """Accounts behind one block, read only. Not to be shared between threads."""

    def __init__(self, state: StateDB) -> None:
        self._state = state

    def balance(self, address: bytes) -> int:
        """Wei."""
        return int(self._state.get_balance(address))

    def nonce(self, address: bytes) -> int:
        return int(self._state.get_nonce(address))

    def code(self, address: bytes) -> bytes:
        """Code as submitted; a delegation designator is returned as such."""
        return bytes(self._state.get_code(address))

    def code_hash(self, address: bytes) -> bytes:
        return bytes(self._state.get_code_hash(address))

    def storage(self, address: bytes, slot: int) -> bytes:
        """32 bytes."""
        return int(self._state.get_storage(address, slot)).to_bytes(32, "big")

    def storage_root(self, address: bytes) -> bytes:
        return bytes(self._state._get_storage_root(address))

    def exists(self, address: bytes) -> bool:
        return bool(self._state.account_exists(address))

    @property
    def root(self) -> bytes:
        """32 bytes: the state root."""
        return bytes(self._state.state_root)
