"""The compiler's own process: it compiles, it is bounded, it can be lost, and it never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime

from ewasm.engine import compiler
from ewasm.engine.compiler import BOUNDS, TIERS, CompileFailure, CompileRefusal, compile_and_run, compile_module
from ewasm.engine.native import winch_works

MODULE = bytes(wasmtime.wat2wasm('(module (func (export "f") (result i64) i64.const 42))'))
AVAILABLE = [tier for tier in TIERS if tier == "cranelift" or winch_works()]


def chained_blocks(count: int) -> bytes:
    """A function that takes a compiler with several passes long: each block is entered over two ways."""
    body = "(block (br_if 0 (i32.eqz (local.get 0))) (local.set 0 (i32.add (local.get 0) (i32.const 3))))" * count
    return bytes(wasmtime.wat2wasm(f'(module (func (export "f") (param i32) (result i32) {body} local.get 0))'))


def child(tier: str) -> subprocess.Popen[bytes]:
    process = compiler._children[tier].process
    assert process is not None
    return process


@pytest.mark.parametrize("tier", AVAILABLE)
def test_what_it_compiles_loads_and_runs(tier: str) -> None:
    from ewasm.engine.instance import native_config

    engine = wasmtime.Engine(native_config(tier))
    store = wasmtime.Store(engine)
    module = wasmtime.Module.deserialize(engine, compile_module(tier, MODULE))
    function = wasmtime.Instance(store, module, []).exports(store)["f"]
    assert isinstance(function, wasmtime.Func)
    assert function(store) == 42


@pytest.mark.parametrize("tier", AVAILABLE)
def test_it_runs_a_self_test_itself(tier: str) -> None:
    assert compile_and_run(tier, MODULE, "f") == 42
    assert len(compile_module(tier, MODULE)) > len(MODULE), "its bounds do not count what the self-test took"


def test_one_process_serves_many_jobs() -> None:
    compile_module("cranelift", MODULE)
    first = child("cranelift").pid
    compile_module("cranelift", MODULE)
    assert child("cranelift").pid == first


@pytest.mark.parametrize("tier", AVAILABLE)
def test_a_module_that_the_compiler_refuses_is_refused_with_its_reason(tier: str) -> None:
    with pytest.raises(CompileRefusal, match="magic") as caught:
        compile_module(tier, b"no module at all")
    assert caught.value.lasting
    assert compile_module(tier, MODULE)


def test_a_job_that_takes_too_long_ends_and_the_next_finds_a_compiler() -> None:
    bounds = replace(BOUNDS["cranelift"], wall_s=0.01)
    with pytest.raises(CompileFailure, match="signal 9") as caught:
        compile_module("cranelift", chained_blocks(4_000), bounds)
    assert caught.value.lasting
    assert compile_module("cranelift", MODULE)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's bounds are tried on Linux only")
def test_a_job_that_takes_too_much_memory_ends_and_the_next_finds_a_compiler() -> None:
    compile_module("cranelift", MODULE)
    with pytest.raises(CompileFailure):
        compile_module("cranelift", chained_blocks(4_000), replace(BOUNDS["cranelift"], memory_bytes=64 << 20))
    assert compile_module("cranelift", MODULE)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's bounds are tried on Linux only")
def test_a_job_that_takes_too_much_time_of_the_processor_is_ended_by_the_kernel() -> None:
    with pytest.raises(CompileFailure, match=f"signal {int(signal.SIGXCPU)}"):
        # A second, and what is left of the one before.
        compile_module("cranelift", chained_blocks(60_000), replace(BOUNDS["cranelift"], cpu_s=0))
    assert compile_module("cranelift", MODULE)


def test_a_process_that_was_killed_is_replaced() -> None:
    compile_module("cranelift", MODULE)
    child("cranelift").kill()
    child("cranelift").wait()
    assert compile_module("cranelift", MODULE)


def test_where_no_process_can_be_started_the_failure_is_not_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_children", {tier: compiler._Child() for tier in TIERS})
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CompileFailure, match="no compiler process") as caught:
        compile_module("cranelift", MODULE)
    assert not caught.value.lasting


PARENT = """
import sys, threading
from ewasm.engine import compiler
from tests.unit.engine.test_compiler import MODULE, chained_blocks
compiler.compile_module("cranelift", MODULE)
if sys.argv[1] == "busy":
    threading.Thread(target=compiler.compile_module, args=("cranelift", chained_blocks(60_000))).start()
print(compiler._children["cranelift"].process.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the process in /proc")
@pytest.mark.parametrize("state", ["idle", "busy"])
def test_it_does_not_outlive_a_parent_that_is_killed(state: str) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", PARENT, state]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    for _ in range(200):
        if not is_alive(pid):
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the compiler went on without its parent")


def is_alive(pid: int) -> bool:
    """Whether there is such a process that is not merely waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_has_compilers_of_its_own() -> None:
    # In a process of its own, so that no thread of the test run is there when it forks.
    script = """
import os
from ewasm.engine import compiler
from tests.unit.engine.test_compiler import MODULE
compiler.compile_module("cranelift", MODULE)
own = compiler._children["cranelift"].process.pid
child = os.fork()
if not child:
    compiler.compile_module("cranelift", MODULE)
    other = compiler._children["cranelift"].process.pid
    compiler._stop_all()
    os._exit(7 if other != own else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
compiler.compile_module("cranelift", MODULE)
assert compiler._children["cranelift"].process.pid == own
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120, cwd=Path(__file__).parents[3])
