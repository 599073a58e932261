"""What the node answers instead of a result, apart from faults of its own.

```
Refused                 the node will not or cannot do it; the text is for the client
├── BadArgument         an argument makes no sense on this chain
└── ExecutionReverted   a call or an estimate ended in a revert
```
"""

from __future__ import annotations

from typing import Any

from chain.reverts import revert_message

__all__ = ["BadArgument", "ExecutionReverted", "Refused"]


class Refused(Exception):
    """The node will not or cannot do what was asked."""

    def __init__(self, reason: str, data: Any = None) -> None:
        super().__init__(reason)
        self.data = data


class BadArgument(Refused):
    """An argument makes no sense on this chain, e.g. a range of blocks that ends before it begins."""


class ExecutionReverted(Refused):
    """A call or an estimate ended in a revert; `output` is what the contract returned."""

    def __init__(self, output: bytes) -> None:
        super().__init__(revert_message(output))
        self.output = output
