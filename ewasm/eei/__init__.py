"""The Ethereum Environment Interface: what a contract can ask of the world (PROTOCOL section 2).

`table` is the one list of host functions: wire name, signature, price class, rule sets, meaning. Each topic module
holds plain functions `(frame, *ints) -> int | None`, named as their row in snake case; ints are unsigned. `bind` joins
the two for a rule set. A body does its work in the order ranges, gas, read, act, write.

Enters: a `Frame` (memory, gas, message, host). Leaves: effects on it, or an `ExceptionalHalt` or `FrameEnd`.
Must not import an engine: engines call in here.
"""

from ewasm.eei.bind import HostEntry, bind, invoke
from ewasm.eei.frame import Frame, Memory
from ewasm.eei.table import TABLE, HostFunction

__all__ = ["TABLE", "Frame", "HostEntry", "HostFunction", "Memory", "bind", "invoke"]
