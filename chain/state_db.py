"""Accounts of an open state: what py-evm's states read and write, journaled in memory, kept in tries.

It stands in the place of py-evm's own account database, whose every access passes through half a dozen mappings.
Two things make it fast: an undo log in place of stacked journals, and tries that are changed once a block
(`state_trie`). Names and errors are those that py-evm's opcodes rely on.

Values from before a transaction (EIP-2200) are kept for slots that it wrote; `lock_changes` begins a new one.
"""

from __future__ import annotations

from typing import Any

from eth_utils.exceptions import ValidationError

from chain import rlp_codec as rlp
from chain.crypto import EMPTY_HASH, keccak
from chain.errors import StoreCorrupt
from chain.state_trie import EMPTY_ROOT, StateTrie
from chain.store import NOWHERE, KeyValue

__all__ = ["StateDB"]

Account = tuple[int, int, bytes, bytes]
"""Nonce, balance in wei, storage root as of the last `make_state_root`, hash of the code."""

KNOWN_ACCOUNTS = 4_096


class _Unknown:
    """Not looked up, which differs from an account that does not exist."""


_UNKNOWN = _Unknown()
_BLANK: Account = (0, 0, EMPTY_ROOT, EMPTY_HASH)
_LIMIT = 1 << 256
_NONCE_LIMIT = 1 << 64


class StateDB:
    """py-evm's `AccountDatabaseAPI`, as far as states and opcodes use it."""

    __slots__ = (
        "_accounts",
        "_changed",
        "_codes",
        "_db",
        "_emptied",
        "_journal",
        "_known",
        "_original",
        "_root",
        "_storage",
        "_stored",
        "_transient",
        "_trie",
        "_warm",
    )

    def __init__(self, db: KeyValue, state_root: bytes = EMPTY_ROOT) -> None:
        self._db = db
        self._trie = StateTrie(db)
        # A root names its accounts for ever. Blocks under way have roots that nobody asks for again.
        self._known = db.cache.accounts if db.next_place == NOWHERE else None
        self._root = state_root
        self._codes: dict[bytes, bytes] = {}
        self._forget()

    def _forget(self) -> None:
        # None stands for an account that does not exist.
        self._accounts: dict[bytes, Account | None] = {}
        self._storage: dict[bytes, dict[int, int]] = {}
        # Accounts and slots that may differ from the tries; a reverted change may leave its mark here.
        self._changed: set[bytes] = set()
        self._stored: dict[bytes, set[int]] = {}
        # Accounts whose slots in the trie no longer count.
        self._emptied: set[bytes] = set()
        self._original: dict[tuple[bytes, int], int] = {}
        self._warm: set[Any] = set()
        self._transient: dict[tuple[bytes, int], bytes] = {}
        # How to undo each change: a mapping, a key and its old value; a set and what came in; or a function.
        self._journal: list[tuple[Any, Any, Any]] = []

    # Roots

    @property
    def state_root(self) -> bytes:
        """32 bytes, as of the last `make_state_root`."""
        return self._root

    @state_root.setter
    def state_root(self, value: bytes) -> None:
        if value != self._root:
            self._forget()
            self._root = value

    def has_root(self, state_root: bytes) -> bool:
        """Whether there is a trie with this root."""
        return state_root == EMPTY_ROOT or state_root in self._trie.nodes or state_root in self._db

    def make_state_root(self) -> bytes:
        """Bring the tries up to date; 32 bytes."""
        for address in self._stored.keys() | self._emptied:
            self._update_storage(address)
        changes = []
        for address in self._changed:
            account = self._accounts[address]
            changes.append((address, b"" if account is None else rlp.encode(account)))
        self._root = self._trie.update(self._root, changes)
        self._changed = set()
        self._stored = {}
        self._emptied = set()
        return self._root

    def _update_storage(self, address: bytes) -> None:
        account = self._account(address)
        before = EMPTY_ROOT if address in self._emptied else account[2]
        slots = self._storage.get(address, {})
        changes = []
        for slot in self._stored.get(address, ()):
            if slot in slots:
                value = slots[slot]
                changes.append((slot.to_bytes(32, "big"), rlp.encode(value) if value else b""))
        root = self._trie.update(before, changes)
        if root == account[2]:
            return
        if self._accounts[address] is not None or root != EMPTY_ROOT:
            self._accounts[address] = (account[0], account[1], root, account[3])
            self._changed.add(address)

    def persist(self) -> None:
        """Write new nodes and codes into the database below."""
        self.make_state_root()
        db = self._db
        self._trie.write()
        for key, code in self._codes.items():
            db[key] = code
        self._codes = {}
        self._journal = []
        self._original = {}

    # Journal

    def record(self) -> int:
        """A point to go back to."""
        return len(self._journal)

    def discard(self, checkpoint: int) -> None:
        """Go back to a point."""
        journal = self._journal
        while len(journal) > checkpoint:
            target, key, old = journal.pop()
            if type(target) is dict:
                target[key] = old
            elif type(target) is set:
                target.discard(key)
            else:
                target()

    def commit(self, checkpoint: int) -> None:
        """Nothing: the log is kept for the points before this one."""

    def lock_changes(self) -> None:
        """Begin a transaction: what stands now are its original values, and nothing is warm."""
        self._original = {}
        self._warm = set()

    # Accounts

    def _find(self, address: bytes) -> Account | None:
        accounts = self._accounts
        if address in accounts:
            return accounts[address]
        known = self._known
        account: Account | _Unknown | None = _UNKNOWN if known is None else known.get(self._root + address, _UNKNOWN)
        if isinstance(account, _Unknown):
            encoded = self._trie.get(self._root, address)
            account = _decode(encoded) if encoded else None
            if known is not None:
                if len(known) >= KNOWN_ACCOUNTS:
                    known.clear()
                known[self._root + address] = account
        accounts[address] = account
        return account

    def _account(self, address: bytes) -> Account:
        return self._find(address) or _BLANK

    def _set(self, address: bytes, account: Account | None) -> None:
        self._journal.append((self._accounts, address, self._find(address)))
        self._accounts[address] = account
        self._changed.add(address)

    def account_exists(self, address: bytes) -> bool:
        return self._find(address) is not None

    def account_is_empty(self, address: bytes) -> bool:
        nonce, balance, _, code_hash = self._account(address)
        return not nonce and not balance and code_hash == EMPTY_HASH

    def account_has_code_or_nonce(self, address: bytes) -> bool:
        nonce, _, _, code_hash = self._account(address)
        return nonce != 0 or code_hash != EMPTY_HASH

    def touch_account(self, address: bytes) -> None:
        """Bring an account into being, empty."""
        if self._find(address) is None:
            self._set(address, _BLANK)

    def delete_account(self, address: bytes) -> None:
        self._empty_storage(address)
        self._set(address, None)

    def get_balance(self, address: bytes) -> int:
        return self._account(address)[1]

    def set_balance(self, address: bytes, balance: int) -> None:
        """Raises `ValidationError` unless it fits 256 bits."""
        if not 0 <= balance < _LIMIT:
            raise ValidationError(f"balance of 0x{address.hex()} would be {balance}")
        nonce, _, root, code_hash = self._account(address)
        self._set(address, (nonce, balance, root, code_hash))

    def get_nonce(self, address: bytes) -> int:
        return self._account(address)[0]

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """Raises `ValidationError` unless it fits 64 bits."""
        if not 0 <= nonce < _NONCE_LIMIT:
            raise ValidationError(f"nonce of 0x{address.hex()} would be {nonce}")
        _, balance, root, code_hash = self._account(address)
        self._set(address, (nonce, balance, root, code_hash))

    def increment_nonce(self, address: bytes) -> None:
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code_hash(self, address: bytes) -> bytes:
        return self._account(address)[3]

    def get_code(self, address: bytes) -> bytes:
        code_hash = self._account(address)[3]
        if code_hash == EMPTY_HASH:
            return b""
        code = self._codes.get(code_hash)
        if code is None:
            code = self._db.get(code_hash)
        if code is None:
            raise StoreCorrupt(f"code 0x{code_hash.hex()} of 0x{address.hex()} is missing")
        return code

    def set_code(self, address: bytes, code: bytes) -> None:
        if not isinstance(code, bytes):
            raise ValidationError(f"code of 0x{address.hex()} is {type(code).__name__}, not bytes")
        nonce, balance, root, _ = self._account(address)
        code_hash = keccak(code)
        self._codes[code_hash] = code
        self._set(address, (nonce, balance, root, code_hash))

    def delete_code(self, address: bytes) -> None:
        nonce, balance, root, _ = self._account(address)
        self._set(address, (nonce, balance, root, EMPTY_HASH))

    # Storage

    def _get_storage_root(self, address: bytes) -> bytes:
        return self._account(address)[2]

    def get_storage(self, address: bytes, slot: int, from_journal: bool = True) -> int:
        """A slot's value; as it was before the transaction unless `from_journal`."""
        if not from_journal:
            before = self._original.get((address, slot))
            if before is not None:
                return before
        slots = self._storage.get(address)
        if slots is None:
            slots = self._storage[address] = {}
        value = slots.get(slot)
        if value is None:
            value = slots[slot] = self._stored_value(address, slot)
        return value

    def _stored_value(self, address: bytes, slot: int) -> int:
        if address in self._emptied:
            return 0
        root = self._account(address)[2]
        if root == EMPTY_ROOT:
            return 0
        encoded = self._trie.get(root, slot.to_bytes(32, "big"))
        return rlp.as_int(rlp.decode(encoded)) if encoded else 0

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Raises `ValidationError` unless slot and value fit 256 bits."""
        if not (0 <= value < _LIMIT and 0 <= slot < _LIMIT):
            raise ValidationError(f"slot {slot} of 0x{address.hex()} would be {value}")
        old = self.get_storage(address, slot)
        if old == value:
            return
        slots = self._storage[address]
        self._original.setdefault((address, slot), old)
        self._stored.setdefault(address, set()).add(slot)
        slots[slot] = value
        self._journal.append((slots, slot, old))

    def delete_storage(self, address: bytes) -> None:
        """Empty an account's storage; brings the account into being."""
        nonce, balance, _, code_hash = self._account(address)
        self._empty_storage(address)
        self._set(address, (nonce, balance, EMPTY_ROOT, code_hash))

    def _empty_storage(self, address: bytes) -> None:
        slots = self._storage.get(address)
        was_emptied = address in self._emptied
        stored = self._stored.get(address)
        if (not slots and self._account(address)[2] == EMPTY_ROOT) or (was_emptied and not slots):
            return

        def undo() -> None:
            if slots is None:
                self._storage.pop(address, None)
            else:
                self._storage[address] = slots
            if stored is not None:
                self._stored[address] = stored
            if not was_emptied:
                self._emptied.discard(address)

        self._storage[address] = {}
        if stored is not None:
            self._stored[address] = set()
        self._emptied.add(address)
        self._journal.append((undo, None, None))

    # Warm accounts and slots (EIP-2929)

    def is_address_warm(self, address: bytes) -> bool:
        return address in self._warm

    def mark_address_warm(self, address: bytes) -> None:
        self._mark(address)

    def is_storage_warm(self, address: bytes, slot: int) -> bool:
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: bytes, slot: int) -> None:
        self._mark((address, slot))

    def _mark(self, what: Any) -> None:
        warm = self._warm
        if what not in warm:
            warm.add(what)
            self._journal.append((warm, what, None))

    # Transient storage (EIP-1153)

    def get_transient_storage(self, address: bytes, slot: int) -> bytes:
        return self._transient.get((address, slot), b"")

    def set_transient_storage(self, address: bytes, slot: int, value: bytes) -> None:
        transient, key = self._transient, (address, slot)
        self._journal.append((transient, key, transient.get(key, b"")))
        transient[key] = value

    def clear_transient_storage(self) -> None:
        """The transaction has ended."""
        self._transient = {}

    # What was looked at since the state was opened

    def accessed_accounts(self) -> frozenset[bytes]:
        """Addresses."""
        return frozenset(self._accounts)

    def accessed_slots(self, address: bytes) -> frozenset[int]:
        """Slots of an account."""
        return frozenset(self._storage.get(address, ()))


def _decode(encoded: bytes) -> Account:
    try:
        nonce, balance, root, code_hash = rlp.as_list(rlp.decode(encoded), 4)
        return rlp.as_int(nonce), rlp.as_int(balance), rlp.as_bytes(root, 32), rlp.as_bytes(code_hash, 32)
    except rlp.RlpError as error:
        raise StoreCorrupt(f"an account cannot be read: {error}") from error
