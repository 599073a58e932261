"""Watching transactions run again: what the debug_trace* and trace_* methods answer.

Enters: a block of the chain (or a call), a transaction's place in it, `TraceOptions`. Leaves: JSON in the shapes of
geth's tracers, with frames of Wasm contracts among those of EVM contracts. `replay` opens the block on its parent's
state and runs it; `frames` stands between py-evm and an `Observer`; `wasm_events` between the VM and the same observer;
each other module is one tracer. A tracer looks on: gas, state and logs are those of the run without it, and nothing
that is replayed is stored.

Only `frames` knows py-evm.
"""
