"""Engines: what runs a contract.

Two implementations of one Protocol (`base.Engine`) that share nothing but the tables. `interpreter` runs the original
module and pays for one instruction at a time: it is the specification and the tracer. `native` runs the instrumented
module on Wasmtime. They must agree on status, on gas at every host call, on output, logs and memory.

Enters: a `Contract` and a `Frame`. Leaves: the frame's effects, or an `ExceptionalHalt` or `FrameEnd`.
Must not import `ewasm.vm`.
"""

from ewasm.engine.base import Artifact, Engine, Instance, make_engine

__all__ = ["Artifact", "Engine", "Instance", "make_engine"]
