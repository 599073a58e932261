"""prestateTracer: the accounts and slots that a transaction needed, as they were before it, or how it changed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chain.crypto import keccak
from chain.rlp_codec import encode
from chain.tracing.events import Observer
from chain.tracing.frames import stack_words
from chain.tracing.names import CALLS, CREATES, SELFDESTRUCT, SLOAD, SSTORE
from chain.transaction import Tx
from chain.transition import BlockEnv, Executed

__all__ = ["PrestateTracer"]

BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, CREATE2 = 0x31, 0x3B, 0x3C, 0x3F, 0xF5
_ACCOUNT_OPS = frozenset({BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT})
_MASK160 = (1 << 160) - 1


@dataclass(slots=True)
class _Account:
    balance: int
    nonce: int
    code: bytes
    storage: dict[int, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.balance or self.nonce or self.code)


class PrestateTracer(Observer):
    """geth's prestateTracer; options diffMode, disableCode, disableStorage, includeEmpty.

    Contracts in Wasm count through the host functions they call, as EVM contracts do through their opcodes.
    """

    opcodes = frozenset({SLOAD, SSTORE}) | _ACCOUNT_OPS | CALLS | CREATES

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._diff = bool(config.get("diffMode"))
        self._with_code = not config.get("disableCode")
        self._with_storage = not config.get("disableStorage")
        self._with_empty = bool(config.get("includeEmpty"))
        self._pre: dict[bytes, _Account] = {}
        self._deleted: set[bytes] = set()
        self._created: set[bytes] = set()
        self._post: dict[str, dict[str, Any]] = {}
        self._state: Any = None

    def tx_start(self, state: Any, tx: Tx, env: BlockEnv) -> None:
        self._state = state
        self._look(tx.sender)
        if tx.to is not None:
            self._look(tx.to)
        else:
            address = keccak(encode([tx.sender, tx.nonce]))[12:]
            self._look(address)
            self._created.add(address)
        self._look(env.coinbase)
        for authorization in tx.authorizations:
            authority = authorization.authority()
            if authority is not None:
                self._look(authority)

    def _look(self, address: bytes) -> _Account:
        known = self._pre.get(address)
        if known is None:
            state = self._state
            known = _Account(state.get_balance(address), state.get_nonce(address), bytes(state.get_code(address)))
            self._pre[address] = known
        return known

    def step(self, frame: Any, pc: int, op: int, gas: int, refund: int) -> None:
        words = stack_words(frame)
        own: bytes = frame.msg.storage_address
        if op in (SLOAD, SSTORE) and words:
            storage = self._look(own).storage
            if words[-1] not in storage:
                storage[words[-1]] = frame.state.get_storage(own, words[-1])
        elif op in _ACCOUNT_OPS and words:
            self._look(_address(words[-1]))
            if op == SELFDESTRUCT:
                self._deleted.add(own)
        elif op in CALLS and len(words) >= 5:
            self._look(_address(words[-2]))
        elif op in CREATES and len(words) >= 3:
            made = self._made(frame, own, op, words)
            self._look(made)
            self._created.add(made)

    @staticmethod
    def _made(frame: Any, own: bytes, op: int, words: list[int]) -> bytes:
        if op != CREATE2:
            return keccak(encode([own, frame.state.get_nonce(own)]))[12:]
        code = bytes(frame.memory_read_bytes(words[-2], words[-3]))
        salt = words[-4] if len(words) > 3 else 0
        return keccak(b"\xff" + own + salt.to_bytes(32, "big") + keccak(code))[12:]

    def tx_end(self, state: Any, executed: Executed) -> None:
        if not self._diff:
            return
        for address in list(self._pre):
            if address in self._deleted and not state.account_exists(address):
                continue
            before = self._pre[address]
            changes = self._changes(state, address, before)
            if changes:
                self._post["0x" + address.hex()] = changes
            else:
                del self._pre[address]

    def _changes(self, state: Any, address: bytes, before: _Account) -> dict[str, Any]:
        """What is different now; slots that are not are taken out of `before`."""
        after: dict[str, Any] = {}
        balance, nonce, code = state.get_balance(address), state.get_nonce(address), bytes(state.get_code(address))
        if balance != before.balance:
            after["balance"] = hex(balance)
        if nonce != before.nonce:
            after["nonce"] = nonce
        if code != before.code:
            if self._with_code:
                after["code"] = "0x" + code.hex()
            after["codeHash"] = "0x" + keccak(code).hex()
        storage = {}
        changed = bool(after)
        for slot, old in list(before.storage.items()):
            new = state.get_storage(address, slot)
            if new == old:
                del before.storage[slot]
                continue
            changed = True
            if not old:
                del before.storage[slot]
            if new:
                storage[f"0x{slot:064x}"] = f"0x{new:064x}"
        if storage and self._with_storage:
            after["storage"] = storage
        return after or ({"storage": {}} if changed else {})

    def result(self, executed: Executed) -> Any:
        shown = {}
        for address, account in self._pre.items():
            hidden = address in self._created or self._diff or not self._with_empty
            if account.empty and not account.storage and hidden:
                continue
            shown["0x" + address.hex()] = self._account_json(account)
        return {"pre": shown, "post": self._post} if self._diff else shown

    def _account_json(self, account: _Account) -> dict[str, Any]:
        fields: dict[str, Any] = {"balance": hex(account.balance)}
        if account.nonce:
            fields["nonce"] = account.nonce
        if account.code:
            if self._with_code:
                fields["code"] = "0x" + account.code.hex()
            fields["codeHash"] = "0x" + keccak(account.code).hex()
        if account.storage and self._with_storage:
            fields["storage"] = {f"0x{slot:064x}": f"0x{value:064x}" for slot, value in sorted(account.storage.items())}
        return fields


def _address(word: int) -> bytes:
    return (word & _MASK160).to_bytes(20, "big")
