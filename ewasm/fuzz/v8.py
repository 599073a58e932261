"""V8 as an engine: the same instrumented bytes, run by a node process that has nothing else in common with Wasmtime.

One process serves all frames. Python writes a request to its input and reads the answer from its output (`v8.js` has
the messages); a host call is an answer that asks for a result first. Frames nest strictly, here and there. V8 is there
to compare with and to test, not to run a chain on: a host call costs some 40 us.

What V8 lacks (`lacking`) is asked of it with small modules at the start. A contract that uses such a feature is
refused by `compile` with `NotComparable`; whoever compares engines counts it apart.
"""

from __future__ import annotations

import json
import struct
import weakref
from collections.abc import Sequence
from pathlib import Path

from ewasm.contract import Contract
from ewasm.eei import Frame, HostEntry, invoke
from ewasm.engine.base import NO_MEMORY
from ewasm.engine.native import instrument_contract
from ewasm.engine.v8_process import NodeProcess, find_node, trap_text
from ewasm.errors import MemoryAccess, MemoryExhausted, OutOfGas, StackExhausted, Trap
from ewasm.rules import Rules
from ewasm.wasm import opcodes as op
from ewasm.wasm.encode import encode
from ewasm.wasm.module import Function, Module, ValidModule
from ewasm.wasm.types import I32, I64, PAGE_BYTES, FuncType

__all__ = ["NotComparable", "V8Engine", "find_node"]

STACK_MIB = 2_048
"""Address space for the stack of the thread that runs frames, touched as it is used: 1,024 frames of the largest."""

_COMPILE, _INSTANTIATE, _RUN, _READ, _WRITE, _SNAPSHOT, _CLOSE, _RESULT, _ABORT = range(1, 10)
_OK, _REFUSED, _DONE, _TRAP, _HOST_CALL = range(128, 133)
_WINDOW = 32
_LETTERS = {I32: "i", I64: "I"}
_MASKS = {I32: (1 << 32) - 1, I64: (1 << 64) - 1}
_CELL = 8 + _WINDOW


class NotComparable(Exception):
    """The contract uses a feature that this V8 does not have; the text names it."""


# -- the engine --------------------------------------------------------------------------------------------------


class V8Engine:
    """V8 in a node process of its own, for one thread of frames at a time.

    Attributes:
        lacking: Features of the rule sets that this V8 does not have.

    Raises:
        RuntimeError: There is no node.
    """

    name = "v8"

    def __init__(self, stack_mib: int = STACK_MIB) -> None:
        self.process = NodeProcess(Path(__file__).with_name("v8.js"), str(stack_mib))
        self._forgotten: list[int] = []
        self.lacking = frozenset(feature for feature, module in _probes().items() if not self._takes(module))

    def _takes(self, module: Module) -> bool:
        try:
            self._forgotten.append(self.compile_bytes(encode(module), ()))
        except RuntimeError:
            return False
        return True

    def compile_bytes(self, code: bytes, imports: Sequence[tuple[str, str, str, str]]) -> int:
        """Compile a module with these imports: (module, name, types of parameters, of the result).

        Raises:
            RuntimeError: V8 refuses it.
        """
        # A list of what was dropped, since the collector may drop things in the middle of a message.
        forgotten = [self._forgotten.pop() for _ in range(len(self._forgotten))]
        signatures = json.dumps(imports).encode()
        head = struct.pack(f"<BI{len(forgotten)}II", _COMPILE, len(forgotten), *forgotten, len(signatures))
        answer = self.process.ask(head + signatures + code)
        if answer[0] != _OK:
            raise RuntimeError(f"V8 does not take the module: {answer[1:].decode()}")
        return int.from_bytes(answer[1:5], "little")

    def compile(self, contract: Contract, rules: Rules) -> V8Artifact:
        """
        Raises:
            NotComparable: The contract uses what V8 does not have.
            RuntimeError: V8 refuses the module for any other reason, which is a fault.
        """
        lacks = features_used(contract.valid) & self.lacking
        if lacks:
            raise NotComparable(f"V8 lacks {', '.join(sorted(lacks))}")
        metered = instrument_contract(contract, rules)
        rows = [entry.row for entry in contract.imports]
        imports = [
            (r.module, r.name, "".join(_LETTERS[t] for t in r.params), "".join(_LETTERS[t] for t in r.results))
            for r in rows
        ]
        module = self.compile_bytes(encode(metered.module), imports)
        return V8Artifact(self, module, dict(metered.entries), contract.imports)

    def forget(self, module: int) -> None:
        self._forgotten.append(module)


def features_used(valid: ValidModule) -> frozenset[str]:
    """Features of the opcode table whose instructions a module has."""
    codes = {instruction[0] for function in valid.module.functions for instruction in function.body}
    return frozenset(op.OPCODES[code].feature for code in codes)


def _probes() -> dict[str, Module]:
    """A module for each feature that not every V8 has."""
    wide = FuncType((I64, I64), (I64, I64))
    product = ((op.LOCAL_GET, 0), (op.LOCAL_GET, 1), (op.I64_MUL_WIDE_U,), (op.END,))
    tail = ((op.RETURN_CALL, 0), (op.END,))
    return {
        "wide_arithmetic": Module(types=(wide,), functions=(Function(0, (), product),)),
        "tail_call": Module(types=(FuncType((), ()),), functions=(Function(0, (), tail),)),
    }


class V8Artifact:
    def __init__(self, engine: V8Engine, module: int, entries: dict[str, str], imports: Sequence[HostEntry]) -> None:
        self.engine = engine
        self.module = module
        self.entries = entries
        self.imports = imports
        weakref.finalize(self, engine.forget, module)

    def instantiate(self, frame: Frame) -> V8Instance:
        return V8Instance(self, frame)


class V8Instance:
    def __init__(self, artifact: V8Artifact, frame: Frame) -> None:
        self.artifact = artifact
        self.frame = frame
        self.process = artifact.engine.process
        answer = self.process.ask(struct.pack("<BI", _INSTANTIATE, artifact.module))
        if answer[0] == _TRAP:
            raise Trap(trap_text(answer[1:].decode()))
        if answer[0] != _OK:
            raise RuntimeError(f"instantiation failed: {answer[1:].decode()}")
        self.id, size = struct.unpack_from("<Iq", answer, 1)
        self.memory = V8Memory(self.process, self.id, size)
        frame.memory = self.memory

    def run(self, entry: str) -> None:
        frame = self.frame
        export = self.artifact.entries[entry].encode()
        self.memory.flush()
        self.process.send(struct.pack("<BIqI", _RUN, self.id, frame.particles, frame.page_ceiling) + export)
        pending: BaseException | None = None
        while (answer := self.process.receive())[0] == _HOST_CALL:
            try:
                self.process.send(self._host_call(answer))
            except BaseException as error:  # noqa: BLE001 - raised again when V8 has left the frame
                pending = error
                self.process.send(bytes([_ABORT]))
        self.memory.leave()
        if answer[0] == _DONE:
            frame.particles, self.memory.size = struct.unpack_from("<qq", answer, 1)
            if frame.particles < 0:
                raise OutOfGas
            return
        gas, stack, self.memory.size = struct.unpack_from("<qqq", answer, 1)
        text = answer[25:].decode()
        if pending is not None:
            raise pending
        # By its counters first: they stop a frame with `unreachable`.
        if stack < 0:
            raise StackExhausted
        if gas < 0:
            raise OutOfGas
        if self.memory.size > frame.page_ceiling * PAGE_BYTES:
            raise MemoryExhausted
        raise Trap(trap_text(text))

    def _host_call(self, message: bytes) -> bytes:
        """The answer to a host call."""
        frame = self.frame
        index, particles, size = struct.unpack_from("<Iqq", message, 1)
        entry = self.artifact.imports[index]
        arguments: list[int] = []
        windows: list[tuple[int, bytes]] = []
        for at, value_type in zip(range(21, len(message), _CELL), entry.row.params, strict=True):
            value = int.from_bytes(message[at : at + 8], "little") & _MASKS[value_type]
            arguments.append(value)
            if value_type == I32 and value < size:
                windows.append((value, message[at + 8 : at + 8 + min(_WINDOW, size - value)]))
        self.memory.enter(size, windows)
        frame.particles = particles
        result = invoke(frame, entry, tuple(arguments)) or 0
        return struct.pack("<BqQ", _RESULT, frame.particles, result) + self.memory.take_writes()

    def close(self) -> None:
        self.frame.memory = NO_MEMORY
        self.process.ask(struct.pack("<BI", _CLOSE, self.id))


class V8Memory:
    """Linear memory in the other process. What was sent along is read here; writes are sent with the result."""

    def __init__(self, process: NodeProcess, instance: int, size: int) -> None:
        self.process = process
        self.instance = instance
        self.size = size
        self._windows: list[tuple[int, bytes]] = []
        self._writes: list[bytes] = []

    def enter(self, size: int, windows: list[tuple[int, bytes]]) -> None:
        self.size, self._windows = size, windows

    def leave(self) -> None:
        """A host call that failed may have written before; the frame is over."""
        self._windows = []
        self.flush()

    def take_writes(self) -> bytes:
        writes, self._writes = b"".join(self._writes), []
        return writes

    def flush(self) -> None:
        if self._writes:
            self.process.ask(struct.pack("<BI", _WRITE, self.instance) + self.take_writes())

    def _check(self, offset: int, length: int) -> None:
        if offset + length > self.size:
            raise MemoryAccess(f"bytes {offset}..{offset + length} of a memory of {self.size}")

    def read(self, offset: int, length: int) -> bytes:
        self._check(offset, length)
        for start, data in self._windows:
            if start <= offset and offset + length <= start + len(data):
                return data[offset - start : offset - start + length]
        self.flush()
        return self.process.ask(struct.pack("<BIII", _READ, self.instance, offset, length))[1:] if length else b""

    def write(self, offset: int, data: bytes) -> None:
        self._check(offset, len(data))
        self._windows = []
        if data:
            self._writes.append(struct.pack("<II", offset, len(data)) + data)

    def size_bytes(self) -> int:
        return self.size

    def snapshot(self) -> bytes:
        self.flush()
        return self.process.ask(struct.pack("<BI", _SNAPSHOT, self.instance))[1:]
