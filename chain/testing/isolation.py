"""Each test finds the chain as its fixtures left it.

One snapshot for each fixture scope that is open. A snapshot is taken before the first fixture of its scope is set up
and goes back when the scope ends, so what a module's fixture deploys is there for every test of the module and gone
after it, and what a test does is gone after the test. A wider fixture that is set up late (its first test is not the
first test) and changes the chain keeps what it did: the narrower snapshots that were open are given up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

__all__ = ["Isolation", "Scope"]


class Scope(IntEnum):
    """Fixture scopes, wide to narrow."""

    SESSION = 0
    PACKAGE = 1
    MODULE = 2
    CLASS = 3
    FUNCTION = 4


@dataclass(slots=True)
class Isolation:
    """The open snapshots of one chain, wide to narrow.

    Attributes:
        chain: Whatever has `snapshot`, `revert` and a `node` with a head.
    """

    chain: Any
    _open: list[tuple[Scope, int]] = field(default_factory=list)

    def enter(self, scope: Scope) -> None:
        """Before a fixture of this scope, or before a test (FUNCTION)."""
        if scope > Scope.SESSION and (not self._open or self._open[-1][0] < scope):
            self._open.append((scope, self.chain.snapshot()))

    def mark(self) -> object:
        """What tells whether the chain changed."""
        return self.chain.node.head.hash, self.chain.node.chain.state_at().root

    def widened(self, scope: Scope, before: object) -> None:
        """After a fixture of this scope was set up: keep what it did from narrower snapshots that were open."""
        if self._open and self._open[-1][0] > scope and before != self.mark():
            self._open = [entry for entry in self._open if entry[0] <= scope]

    def leave(self, scope: Scope) -> None:
        """At the end of this scope: undo it, and what is narrower."""
        ended = [number for opened, number in self._open if opened >= scope]
        if ended:
            self._open = [entry for entry in self._open if entry[0] < scope]
            known = self.chain.node.snapshots
            # A test may have reverted to a snapshot of its own that was older than ours; then there is nothing left.
            if ended[0] in known:
                self.chain.revert(ended[0])
