"""Traps are signals of the processor: nothing that a node imports or does may take them from Wasmtime."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, since what is imported is imported for good. First a trap, so that the handlers are there;
# then everything that a node might import late, and precompiles; then a trap of each kind again.
_PROGRAM = """
import importlib, pkgutil
from contextlib import suppress
from wasmtime import wat2wasm
from ewasm.fuzz.world import FakeHost, message
from ewasm.rules import EWASM_2026
from ewasm.vm import VM

BODIES = {
    "integer divide by zero": "(drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))",
    "integer overflow": "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))",
    "unreachable": "unreachable",
    "out of bounds memory access": "(drop (i32.load (i32.sub (i32.load (i32.const 0)) (i32.const 4))))",
}

def trap():
    for engine in ("winch", "cranelift"):
        vm = VM(EWASM_2026, engine)
        for words, body in BODIES.items():
            code = bytes(wat2wasm(f'(module (memory (export "memory") 1) (func (export "main") {body}))'))
            result = vm.execute(FakeHost(), message(), code)
            assert not result.is_success and words in str(result.error), (engine, words, result)

trap()
import chain
for found in pkgutil.walk_packages(chain.__path__, "chain."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
from chain.testing.local import LocalChain
with LocalChain() as local:
    # Sizes of one byte each for modexp; the others take it, or fail.
    data = "0x" + ("%064x" % 1) * 3 + "03020500" + "00" * 156
    for number in [*range(1, 0x12), 0x100]:
        with suppress(Exception):
            local.request("eth_call", {"to": f"0x{number:040x}", "data": data}, "latest")
trap()
print("done")
"""


def test_traps_are_caught_whatever_a_node_has_imported() -> None:
    run = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr[-2_000:]
