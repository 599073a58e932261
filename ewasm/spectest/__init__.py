"""Core spec test scripts: what the tests of the WebAssembly specification ask of a module, on every engine.

In     a script as `wasm-tools json-from-wast` (or wast2json) writes it: commands, and the modules they name
Out    a `Report`: for each command passed, failed or refused, with the line and the reason

A script runs below the contract interface: modules import from each other and from the host module `spectest`, have
start functions and several tables, and pass references. What this project leaves out, it refuses by name and never
guesses at: a module with a float, and every command that needs it, is *refused*, not failed.

`script` runs the commands against a `Store` (`store`), of which there are three: `interpreted`,
`native` and `v8`.
No files, no processes here: reading scripts is the command line's part (`ewasm.cli.spectest`).
"""

from __future__ import annotations

from ewasm.spectest.script import Outcome, Report, run_script
from ewasm.spectest.store import ENGINE_NAMES, EngineFault, HostReference, Store, open_store

__all__ = ["ENGINE_NAMES", "EngineFault", "HostReference", "Outcome", "Report", "Store", "open_store", "run_script"]
