"""The compiler's own process: a script that runs beside a node, so that a compiler which hangs, grows or crashes takes
nothing with it. Started by `ewasm.engine.compiler`; not for import.

It uses the standard library only and is started without site packages, which makes it ready in some 10 ms.

Argument: path of Wasmtime's library.
Job, on standard input: u32 size of the settings, u32 size of the module, the settings (JSON), the module.
Answer, on standard output: u8 (0 compiled, 1 the compiler refused it), u32 size, the artifact or the reason.
Where the settings name an export to run, the answer is its result instead: a compiler's self-test.
The process ends when its standard input does, in the middle of a job too.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import signal
import struct
import sys
import threading
from typing import Any, BinaryIO

JOB = struct.Struct("<II")
ANSWER = struct.Struct("<BI")
POINTER = ctypes.c_void_p


class ByteVec(ctypes.Structure):
    """`wasm_byte_vec_t`."""

    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.POINTER(ctypes.c_char))]


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        os._exit(0)  # whoever asked is gone; the compiler may be busy on the other thread
    return data


def receive(stream: BinaryIO, jobs: queue.Queue[tuple[dict[str, Any], bytes]]) -> None:
    """Put jobs into the queue until the input ends."""
    while True:
        settings_size, module_size = JOB.unpack(read_exactly(stream, JOB.size))
        settings = json.loads(read_exactly(stream, settings_size))
        jobs.put((settings, read_exactly(stream, module_size)))


def bound(cpu_s: int, memory_bytes: int | None) -> None:
    """Let the kernel end this process when the next job takes more than it may.

    Args:
        cpu_s: Processor seconds; ends at the next full one.
        memory_bytes: Address space. None for a job that makes an instance, which reserves far more than it uses.
    """
    try:
        import resource
    except ImportError:  # not a Unix: only the parent's clock bounds the job
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1 + cpu_s
    with contextlib.suppress(ValueError, OSError):  # a stricter limit from outside stays
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes or resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Extern(ctypes.Structure):
    """`wasmtime_extern_t`."""

    _fields_ = [("kind", ctypes.c_uint8), ("value", ctypes.c_uint64 * 3)]


class Library:
    """The few functions of Wasmtime's C API that compiling, and running a self-test, take."""

    def __init__(self, path: str) -> None:
        self.dll = ctypes.CDLL(path)
        for name, arguments in (
            ("wasm_config_new", ()),
            ("wasm_engine_new_with_config", (ctypes.c_size_t,)),
            ("wasm_engine_delete", (ctypes.c_size_t,)),
            (
                "wasmtime_module_new",
                (ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)),
            ),
            ("wasmtime_module_delete", (ctypes.c_size_t,)),
            ("wasmtime_module_serialize", (ctypes.c_size_t, ctypes.POINTER(ByteVec))),
            ("wasmtime_error_message", (ctypes.c_size_t, ctypes.POINTER(ByteVec))),
            ("wasmtime_error_delete", (ctypes.c_size_t,)),
            ("wasm_byte_vec_delete", (ctypes.POINTER(ByteVec),)),
            ("wasmtime_store_new", (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t)),
            ("wasmtime_store_context", (ctypes.c_size_t,)),
            ("wasmtime_store_delete", (ctypes.c_size_t,)),
            ("wasmtime_instance_new", (ctypes.c_size_t,) * 4 + (ctypes.c_void_p, ctypes.c_void_p)),
            (
                "wasmtime_instance_export_get",
                (ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p),
            ),
            (
                "wasmtime_func_call_unchecked",
                (ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p),
            ),
        ):
            function = getattr(self.dll, name)
            function.argtypes = arguments
            function.restype = ctypes.c_size_t
        self.engines: dict[str, int] = {}

    def engine(self, config_settings: list[tuple[str, str, int]]) -> int:
        """One engine for each configuration asked for."""
        key = json.dumps(config_settings)
        if key not in self.engines:
            config = self.dll.wasm_config_new()
            for name, kind, value in config_settings:
                setter = getattr(self.dll, name)
                setter.restype = None
                setter.argtypes = (ctypes.c_size_t, getattr(ctypes, kind))
                setter(config, value)
            self.engines[key] = self.dll.wasm_engine_new_with_config(config)
        return self.engines[key]

    def take(self, text: ByteVec) -> bytes:
        data = ctypes.string_at(text.data, text.size)
        self.dll.wasm_byte_vec_delete(ctypes.byref(text))
        return data

    def compile(
        self, config_settings: list[tuple[str, str, int]], module: bytes, run: str | None = None
    ) -> tuple[int, bytes]:
        out, text = ctypes.c_size_t(), ByteVec()
        engine = self.engine(config_settings)
        error = self.dll.wasmtime_module_new(engine, module, len(module), ctypes.byref(out))
        if not error and run is not None:
            return 0, self.run(engine, out.value, run.encode())
        if not error:
            error = self.dll.wasmtime_module_serialize(out.value, ctypes.byref(text))
            self.dll.wasmtime_module_delete(out.value)
        if error:
            self.dll.wasmtime_error_message(error, ctypes.byref(text))
            self.dll.wasmtime_error_delete(error)
            return 1, self.take(text)
        return 0, self.take(text)

    def run(self, engine: int, module: int, export: bytes) -> bytes:
        """Result of an export of type () -> (i64), 8 bytes; zeros if it has none to give."""
        store = self.dll.wasmtime_store_new(engine, 0, 0)
        context = self.dll.wasmtime_store_context(store)
        instance, trap, item = (ctypes.c_uint8 * 16)(), ctypes.c_size_t(), Extern()
        cells = (ctypes.c_uint64 * 2)()
        failed = (
            self.dll.wasmtime_instance_new(context, module, 0, 0, instance, ctypes.byref(trap))
            or trap.value
            or not self.dll.wasmtime_instance_export_get(context, instance, export, len(export), ctypes.byref(item))
            or self.dll.wasmtime_func_call_unchecked(context, ctypes.byref(item.value), cells, 1, ctypes.byref(trap))
            or trap.value
        )
        # Also for the address space that the instance took, which is bounded from the next job on.
        self.dll.wasmtime_store_delete(store)
        return struct.pack("<Q", 0 if failed else cells[0])


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; this process ends with its input
    library = Library(sys.argv[1])
    jobs: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
    threading.Thread(target=receive, args=(sys.stdin.buffer, jobs), daemon=True).start()
    out = sys.stdout.buffer
    while True:
        settings, module = jobs.get()
        bound(settings["cpu_s"], settings["memory_bytes"])
        status, data = library.compile(settings["config"], module, settings.get("run"))
        out.write(ANSWER.pack(status, len(data)))
        out.write(data)
        out.flush()


if __name__ == "__main__":
    main()
