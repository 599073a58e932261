"""Linked artifacts on Wasmtime and their instances: what runs when the native engine runs.

`Tier` is one configuration of Wasmtime for the life of the process; it loads what the compiler process made, links it
once with the raw host functions, and its artifacts are instantiated once a frame: store, instance, memory view. The gas
counter goes in as the argument of the entry point and comes out as its result; a host function takes it as its last
argument and gives it back as its last result.

Which limits hold is decided by the module itself (gas, stack height, memory and table growth), so Wasmtime's own stack
check is a second line that is never reached: see `ewasm.engine.compiler.WASM_STACK_BYTES`.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, NoReturn

import wasmtime

from ewasm.eei import Frame, HostEntry, bind, invoke
from ewasm.engine import boundary
from ewasm.engine.base import NO_MEMORY
from ewasm.engine.compiler import settings_of
from ewasm.engine.pooling import INSTANCES, can_reserve, use_slots
from ewasm.errors import (
    ArgumentOutOfRange,
    MemoryAccess,
    MemoryExhausted,
    OutOfGas,
    StackExhausted,
    StaticViolation,
    Trap,
)
from ewasm.metering.inject import GAS_EXPORT, PAGES_EXPORT, STACK_EXPORT
from ewasm.prelude import BEYOND_BUFFER, ENVIRONMENT_EXPORT, OUT_OF_RANGE, Environment
from ewasm.rules import Rules
from ewasm.wasm.types import I32, PAGE_BYTES

__all__ = ["NativeArtifact", "Tier", "native_config", "tier"]

# `wasmtime_trap_code_enum` -> text of the core spec tests.
_TRAP_TEXTS = {
    1: "out of bounds memory access",
    3: "undefined element",
    4: "uninitialized element",
    5: "indirect call type mismatch",
    6: "integer overflow",
    7: "integer divide by zero",
    9: "unreachable",
}
_TRAP_STACK_OVERFLOW = 0
_TRAP_MEMORY = 1
_ENVIRONMENT_EXPORT = ENVIRONMENT_EXPORT.encode()
_ALL_TAKEN = "maximum concurrent "  # how Wasmtime begins to say that there is no slot left
_VALUE_TYPES = {I32: wasmtime.ValType.i32, 0x7E: wasmtime.ValType.i64}
_MASKS = {I32: (1 << 32) - 1, 0x7E: (1 << 64) - 1}
_INSTANCE_BYTES = 16


class _Current(threading.local):
    """The frame that runs on this thread. Frames nest strictly, so one slot that `run` saves and restores is enough."""

    frame: Frame | None = None


_current = _Current()


def native_config(name: str) -> wasmtime.Config:
    """Wasmtime's configuration for the tier "winch" or "cranelift". A library without Winch ends the process."""
    config = wasmtime.Config()
    for setter, kind, value in settings_of(name):
        boundary.configure(boundary.address_of(config.ptr()), setter, getattr(ctypes, kind), value)
    return config


class Tier:
    """One configuration of Wasmtime, with its linkers.

    Args:
        name: "winch" or "cranelift".
        slots: How many instances are kept in slots (`ewasm.engine.pooling`), none where there is no room for them. More
            instances than that live in memory that is mapped for each.
    """

    def __init__(self, name: str, slots: int = INSTANCES) -> None:
        self.name = name
        config = native_config(name)
        self.slots = slots if slots and can_reserve(slots) else 0
        if self.slots:
            use_slots(boundary.address_of(config.ptr()), self.slots)
        self._wasmtime_engine = wasmtime.Engine(config)
        # Left to the end of the process, it would find its library gone.
        atexit.register(self._wasmtime_engine.close)
        self.engine = boundary.address_of(self._wasmtime_engine.ptr())
        self._linkers: dict[tuple[int, frozenset[str]], int] = {}
        self._callbacks: list[Any] = []
        self._lock = threading.Lock()

    def load(self, compiled: bytes, rules: Rules, entries: Mapping[str, str]) -> NativeArtifact:
        """Link what `compile_module` gave. These bytes are machine code: only ever load our own.

        Raises:
            RuntimeError: They were made by another Wasmtime or for another processor.
        """
        return self._link(boundary.module_deserialize(self.engine, compiled), rules, entries)

    def compile_here(self, module: bytes, rules: Rules, entries: Mapping[str, str]) -> NativeArtifact:
        """Compile in this process, where no other can be had."""
        return self._link(boundary.module_new(self.engine, module), rules, entries)

    def _link(self, module: int, rules: Rules, entries: Mapping[str, str]) -> NativeArtifact:
        try:
            pre = boundary.instantiate_pre(self._linker(rules), module)
        except BaseException:
            boundary.delete_module(module)
            raise
        return NativeArtifact(self, module, pre, rules, entries)

    @cached_property
    def unslotted(self) -> Tier:
        """The same without slots, for when they are all taken."""
        return Tier(self.name, slots=0)

    def _linker(self, rules: Rules) -> int:
        key = (rules.interface, rules.namespaces)
        with self._lock:
            if key not in self._linkers:
                linker = boundary.linker_new(self.engine)
                for entry in bind(rules).values():
                    callback = boundary.HostCallback(_trampoline(entry))
                    self._callbacks.append(callback)
                    params = [_VALUE_TYPES[t]() for t in (*entry.row.params, 0x7E)]
                    results = [_VALUE_TYPES[t]() for t in (*entry.row.results, 0x7E)]
                    boundary.define_host_function(linker, entry.row.module, entry.row.name, params, results, callback)
                self._linkers[key] = linker
            return self._linkers[key]


@cache
def tier(name: str) -> Tier:
    """The one `Tier` of this name in this process."""
    return Tier(name)


# One callback per host function, generated for its signature: loops over cells and tuples of arguments would cost as
# much as the crossing itself. Cells are 16 bytes, so argument i stands at word 2i; the counter comes behind the
# arguments and goes back behind the result.
_TRAMPOLINE = """
def callback(_env, _caller, cells, _count):
    frame = current.frame
    try:
        frame.particles = particles = cells[{gas_cell}]
        if frame.tracer is not None:
            result = invoke(frame, entry, ({arguments}))
        elif particles < 0:
            raise OutOfGas
        {static_check}
        else:
            result = function(frame, {arguments})
        {after}
        {store}
        return 0
    except BaseException as error:
        # It must not cross into Wasmtime: a trap unwinds the Wasm, and `run` raises it again on the other side.
        frame.pending = error
        return new_trap(b"frame ended")
"""
_KEEP_RETURN_DATA = "if frame.on_return_data is not None: frame.on_return_data(frame.return_data)"
_STATIC_CHECK = "elif frame.message.is_static: raise StaticViolation(name)"


def _trampoline(entry: HostEntry) -> boundary.CallbackBody:
    """The raw callback for one row; it does what `ewasm.eei.invoke` does."""
    row = entry.row
    source = _TRAMPOLINE.format(
        gas_cell=len(row.params) * boundary.CELL_WORDS,
        arguments="".join(f"cells[{i * boundary.CELL_WORDS}] & {_MASKS[t]:#x}, " for i, t in enumerate(row.params)),
        static_check=_STATIC_CHECK if row.mutates else "",
        after=_KEEP_RETURN_DATA if row.topic == "calls" else "",
        store="cells[0], cells[2] = result, frame.particles" if row.results else "cells[0] = frame.particles",
    )
    names: dict[str, Any] = {
        "OutOfGas": OutOfGas,
        "StaticViolation": StaticViolation,
        "current": _current,
        "entry": entry,
        "function": entry.function,
        "invoke": invoke,
        "name": f"{entry.name} in a static frame",
        "new_trap": boundary.new_trap,
    }
    exec(compile(source, f"<trampoline {entry.name}>", "exec"), names)  # noqa: S102 - our own text, from the table
    callback: boundary.CallbackBody = names["callback"]
    return callback


class NativeArtifact:
    """A compiled and linked contract; frees what Wasmtime holds when it is dropped."""

    def __init__(self, tier: Tier, module: int, pre: int, rules: Rules, entries: Mapping[str, str]) -> None:
        self.tier = tier
        self.module = module
        self.pre = pre
        self.rules = rules
        self.exports = entries
        self.on_close: Callable[[int], None] | None = None
        """Told the particles that instructions took, whenever an instance closes."""
        self.entries = {name: export.encode() for name, export in entries.items()}
        self.has_environment = ENVIRONMENT_EXPORT in entries
        first, *buffers = entries.get(ENVIRONMENT_EXPORT, str(1 << 32)).split()
        self.first_of_prelude = int(first)
        self.buffers = frozenset(buffers)
        weakref.finalize(self, _release, module, pre)

    @cached_property
    def unslotted(self) -> NativeArtifact:
        """The same machine code for `Tier.unslotted`."""
        made = self.tier.unslotted.load(boundary.module_serialize(self.module), self.rules, self.exports)
        made.on_close = self._tell
        return made

    def _tell(self, particles: int) -> None:
        if self.on_close is not None:
            self.on_close(particles)

    def instantiate(self, frame: Frame) -> NativeInstance:
        try:
            return NativeInstance(self, frame)
        except _NoSlot:
            return NativeInstance(self.unslotted, frame)


class _NoSlot(Exception):
    """All slots are taken."""


def _release(module: int, pre: int) -> None:
    boundary.delete_instance_pre(pre)
    boundary.delete_module(module)


class NativeInstance:
    """One store with one instance."""

    def __init__(self, artifact: NativeArtifact, frame: Frame) -> None:
        self.artifact = artifact
        self.frame = frame
        self.particles = frame.particles + frame.eei_particles
        self.store, self.context = boundary.store_new(artifact.tier.engine)
        self._close = weakref.finalize(self, boundary.delete_store, self.store)
        self.instance = (ctypes.c_uint8 * _INSTANCE_BYTES)()
        trap = ctypes.c_size_t()
        error = boundary.pre_instantiate(artifact.pre, self.context, self.instance, ctypes.byref(trap))
        if error:
            text = boundary.take_error(error)
            self._close()
            if artifact.tier.slots and text.startswith(_ALL_TAKEN):
                raise _NoSlot
            raise RuntimeError(f"instantiation failed: {text}")
        if trap.value:
            code, text, _ = boundary.take_trap(trap.value)
            # Its slot is free at once, not when whoever holds the error lets go of it.
            self._close()
            if code == 3:
                raise Trap("out of bounds table access")
            raise Trap(_TRAP_TEXTS.get(code or -1, text))
        frame.memory = NativeMemory(self.context, boundary.export_get(self.context, self.instance, b"memory"))
        self.environment = self._write_environment() if artifact.has_environment else None
        if self.environment is not None and "return_data" in artifact.buffers:
            frame.on_return_data = self.environment.set_return_data
        if frame.page_ceiling < frame.rules.limits.memory_pages:
            cell = boundary.export_get(self.context, self.instance, PAGES_EXPORT.encode())
            boundary.global_set_i32(self.context, cell, frame.page_ceiling)

    def _write_environment(self) -> Environment:
        cell = boundary.export_get(self.context, self.instance, _ENVIRONMENT_EXPORT)
        address = boundary.memory_data(self.context, ctypes.byref(cell.value))

        def grow(pages: int) -> None:
            boundary.memory_grow(self.context, cell, pages)

        return Environment(self.frame, address, self.artifact.buffers, grow)

    def run(self, entry: str) -> None:
        frame = self.frame
        function = boundary.export_get(self.context, self.instance, self.artifact.entries[entry])
        cells = (ctypes.c_int64 * boundary.CELL_WORDS)(frame.particles)
        trap = ctypes.c_size_t()
        outer, _current.frame = _current.frame, frame
        try:
            error = boundary.call_unchecked(self.context, ctypes.byref(function.value), cells, 1, ctypes.byref(trap))
        finally:
            _current.frame = outer
            failure = self._account()
        if frame.pending is not None:
            # A host function ended the frame; Wasmtime hands its trap back as an error or as a trap.
            pending, frame.pending = frame.pending, None
            boundary.discard(error, trap.value)
            raise pending
        if error:
            raise RuntimeError(f"call failed: {boundary.take_error(error)}")
        if trap.value:
            self._raise_trap(failure, *boundary.take_trap(trap.value))
        frame.particles = cells[0]
        if frame.particles < 0:
            raise OutOfGas

    def close(self) -> None:
        frame = self.frame
        frame.memory = NO_MEMORY
        self._close()
        if self.artifact.on_close is not None:
            self.artifact.on_close(self.particles - frame.particles - frame.eei_particles)

    def _account(self) -> int:
        """Add what the prelude charged to the frame's account; gives why one of its functions stopped, or 0."""
        if self.environment is None:
            return 0
        spent, failure = self.environment.report()
        self.frame.eei_particles += spent
        return failure

    def _raise_trap(self, failure: int, code: int | None, text: str, function: int | None) -> NoReturn:
        """Say why the Wasm stopped: by its counters first, since they stop with `unreachable`."""
        if self._global(STACK_EXPORT, is_i64=False) < 0:
            raise StackExhausted
        if self._global(GAS_EXPORT, is_i64=True) < 0:
            raise OutOfGas
        if self.frame.memory.size_bytes() > self.frame.page_ceiling * PAGE_BYTES:
            raise MemoryExhausted
        if code == _TRAP_STACK_OVERFLOW:
            raise RuntimeError("the native stack overflowed below the height limit")
        if failure == OUT_OF_RANGE:
            raise ArgumentOutOfRange("an argument of a host function is out of range")
        if failure == BEYOND_BUFFER:
            raise MemoryAccess("copy from beyond a buffer's end")
        if code == _TRAP_MEMORY and function is not None and function >= self.artifact.first_of_prelude:
            raise MemoryAccess("a host function was given memory beyond the end")
        raise Trap(_TRAP_TEXTS.get(-1 if code is None else code, text))

    def _global(self, name: str, *, is_i64: bool) -> int:
        cell = boundary.export_get(self.context, self.instance, name.encode())
        return boundary.global_get(self.context, cell, is_i64=is_i64)


class NativeMemory:
    """Linear memory through a view on its bytes.

    Wasmtime reserves the whole 4 GiB of address space for a memory, so its first byte never moves; it may only grow.
    The size is asked for again only when a range passes the one known.
    """

    def __init__(self, context: int, cell: boundary.ExternCell) -> None:
        self._context = context
        self._cell = cell
        self._address = boundary.memory_data(context, ctypes.byref(cell.value))
        self._size = -1
        self._view = memoryview(b"")
        self._refresh()

    def _refresh(self) -> None:
        size = boundary.memory_data_size(self._context, ctypes.byref(self._cell.value))
        if size != self._size:
            self._size = size
            self._view = memoryview((ctypes.c_uint8 * size).from_address(self._address)).cast("B")

    def _check(self, offset: int, length: int) -> None:
        if offset + length > self._size:
            self._refresh()
            if offset + length > self._size:
                raise MemoryAccess(f"bytes {offset}..{offset + length} of a memory of {self._size}")

    def read(self, offset: int, length: int) -> bytes:
        end = offset + length
        if end > self._size:
            self._check(offset, length)
        return bytes(self._view[offset:end])

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > self._size:
            self._check(offset, len(data))
        self._view[offset:end] = data

    def snapshot(self) -> bytes:
        self._refresh()
        return bytes(self._view)

    def size_bytes(self) -> int:
        self._refresh()
        return self._size
