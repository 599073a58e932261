"""Every error the chain raises on purpose.

```
ChainError
├── InvalidTransaction     refused before it ran; no state was changed
├── InvalidBlock           a block that breaks a rule; nothing of it was stored
├── InvalidGenesis         a genesis file or option that cannot be used
├── UnknownBlock           a hash or number that the chain does not hold
└── StoreError             the database
    ├── StoreMismatch      it belongs to another chain, or to another format version
    ├── StoreCorrupt       it cannot be read as what it should be
    ├── StoreFull          there is no room for what is to be written
    ├── StoreReadOnly      the directory or the file cannot be written
    └── StoreLocked        another process has it open
```
"""

from __future__ import annotations

__all__ = [
    "ChainError",
    "InvalidBlock",
    "InvalidGenesis",
    "InvalidTransaction",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreMismatch",
    "StoreReadOnly",
    "UnknownBlock",
]


class ChainError(Exception):
    """Base of everything in this module."""


class InvalidTransaction(ChainError):
    """A transaction is refused.

    Args:
        reason: A sentence for people, without the values' last detail where clients match on it.
        rule: Short stable name of the rule, e.g. "nonce-too-low", "funds", "intrinsic-gas".
    """

    def __init__(self, reason: str, rule: str = "invalid") -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule


class InvalidBlock(ChainError):
    """A block is refused; `reason` is a sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidGenesis(ChainError):
    """A genesis file or option cannot be used."""


class UnknownBlock(ChainError):
    """The chain does not hold the block asked for."""


class StoreError(ChainError):
    """The database cannot be used."""


class StoreMismatch(StoreError):
    """The database belongs to another chain or to another version of the format."""


class StoreCorrupt(StoreError):
    """The database cannot be read."""


class StoreFull(StoreError):
    """There is no room for what is to be written; what was written before is whole."""


class StoreReadOnly(StoreError):
    """The directory or the database file cannot be written."""


class StoreLocked(StoreError):
    """Another process has the database open."""
