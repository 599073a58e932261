"""The crossing between Python and Wasmtime: its C API through ctypes, without the objects of wasmtime-py.

A host function made with wasmtime-py's `define_func` costs 4 to 14 us a call, because each argument, the caller and
each result become Python objects. Here Wasmtime writes the arguments into an array of 16-byte cells and calls back
with its address; the callback reads cells as integers and writes the result over them: well under 1 us.

All addresses are plain ints. Whoever calls into this module keeps what Wasmtime keeps: callbacks for as long as the
linker lives, stores until their instances are done.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from wasmtime import FuncType, ValType, _ffi

__all__ = [
    "CELL_WORDS",
    "ExternCell",
    "HostCallback",
    "call_unchecked",
    "config_pooling",
    "configure",
    "define_host_function",
    "delete_instance_pre",
    "delete_module",
    "delete_store",
    "discard",
    "export_get",
    "global_get",
    "global_set_i32",
    "instantiate_pre",
    "linker_new",
    "memory_data",
    "memory_data_size",
    "memory_grow",
    "module_deserialize",
    "module_new",
    "module_serialize",
    "new_trap",
    "pre_instantiate",
    "store_new",
    "take_error",
    "take_trap",
]

CELL_WORDS = 2
"""64-bit words in one cell of an argument array (`wasmtime_val_raw_t` is 16 bytes, for v128)."""

_size = ctypes.c_size_t


def _prototype(name: str, result: Any, *arguments: Any) -> Any:
    # Indexing the library gives a function object of our own, so wasmtime-py's own prototypes stay as they are.
    function = _ffi.dll[name]
    function.restype = result
    function.argtypes = arguments
    return function


HostCallback = ctypes.CFUNCTYPE(_size, _size, _size, ctypes.POINTER(ctypes.c_int64), _size)
"""(env, caller, cells, count) -> trap or 0."""

_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class ExternCell(ctypes.Structure):
    """`wasmtime_extern_t`: a kind and a union whose largest member is 24 bytes."""

    _fields_ = [("kind", ctypes.c_uint8), ("value", ctypes.c_uint64 * 3)]


class _Value(ctypes.Structure):
    """`wasmtime_val_t` as far as integers go."""

    _fields_ = [("kind", ctypes.c_uint8), ("value", ctypes.c_int64 * 3)]


_module_new = _prototype("wasmtime_module_new", _size, _size, ctypes.c_char_p, _size, ctypes.POINTER(_size))
_module_serialize = _prototype("wasmtime_module_serialize", _size, _size, ctypes.c_void_p)
_module_deserialize = _prototype(
    "wasmtime_module_deserialize", _size, _size, ctypes.c_char_p, _size, ctypes.POINTER(_size)
)
delete_module = _prototype("wasmtime_module_delete", None, _size)
linker_new = _prototype("wasmtime_linker_new", _size, _size)
_linker_define = _prototype(
    "wasmtime_linker_define_func_unchecked",
    _size,
    _size,
    ctypes.c_char_p,
    _size,
    ctypes.c_char_p,
    _size,
    _size,
    HostCallback,
    _size,
    _size,
)
_linker_instantiate_pre = _prototype("wasmtime_linker_instantiate_pre", _size, _size, _size, ctypes.POINTER(_size))
delete_instance_pre = _prototype("wasmtime_instance_pre_delete", None, _size)
_store_new = _prototype("wasmtime_store_new", _size, _size, _size, _size)
_store_context = _prototype("wasmtime_store_context", _size, _size)
delete_store = _prototype("wasmtime_store_delete", None, _size)
pre_instantiate = _prototype(
    "wasmtime_instance_pre_instantiate", _size, _size, _size, ctypes.c_void_p, ctypes.POINTER(_size)
)
"""(pre, context, out instance, out trap) -> error"""
_export_get = _prototype(
    "wasmtime_instance_export_get",
    ctypes.c_bool,
    _size,
    ctypes.c_void_p,
    ctypes.c_char_p,
    _size,
    ctypes.c_void_p,
)
memory_data = _prototype("wasmtime_memory_data", _size, _size, ctypes.c_void_p)
"""(context, memory) -> address of its first byte"""
memory_data_size = _prototype("wasmtime_memory_data_size", _size, _size, ctypes.c_void_p)
"""(context, memory) -> bytes"""
_memory_grow = _prototype(
    "wasmtime_memory_grow", _size, _size, ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_uint64)
)
call_unchecked = _prototype(
    "wasmtime_func_call_unchecked",
    _size,
    _size,
    ctypes.c_void_p,
    ctypes.c_void_p,
    _size,
    ctypes.POINTER(_size),
)
"""(context, function, cells, count, out trap) -> error"""
_global_get = _prototype("wasmtime_global_get", None, _size, ctypes.c_void_p, ctypes.c_void_p)
_global_set = _prototype("wasmtime_global_set", _size, _size, ctypes.c_void_p, ctypes.c_void_p)
_trap_new = _prototype("wasmtime_trap_new", _size, ctypes.c_char_p, _size)
_trap_code = _prototype("wasmtime_trap_code", ctypes.c_bool, _size, ctypes.POINTER(ctypes.c_uint8))
_trap_message = _prototype("wasm_trap_message", None, _size, ctypes.c_void_p)
_trap_origin = _prototype("wasm_trap_origin", _size, _size)
_frame_function = _prototype("wasm_frame_func_index", ctypes.c_uint32, _size)
_frame_delete = _prototype("wasm_frame_delete", None, _size)
_trap_delete = _prototype("wasm_trap_delete", None, _size)
_error_message = _prototype("wasmtime_error_message", None, _size, ctypes.c_void_p)
_error_delete = _prototype("wasmtime_error_delete", None, _size)
_vec_delete = _prototype("wasm_byte_vec_delete", None, ctypes.c_void_p)
_pooling_new = _prototype("wasmtime_pooling_allocation_config_new", _size)
_pooling_delete = _prototype("wasmtime_pooling_allocation_config_delete", None, _size)
_config_pooling = _prototype("wasmtime_pooling_allocation_strategy_set", None, _size, _size)


class _ByteVec(ctypes.Structure):
    _fields_ = [("size", _size), ("data", ctypes.POINTER(ctypes.c_char))]


def config_pooling(config: int, settings: Mapping[str, int]) -> None:
    """Allocate instances from a pool; `settings` are `wasmtime_pooling_allocation_config_<name>_set`."""
    pooling = _pooling_new()
    for name, value in settings.items():
        _prototype(f"wasmtime_pooling_allocation_config_{name}_set", None, _size, _size)(pooling, value)
    _config_pooling(config, pooling)
    _pooling_delete(pooling)


def address_of(pointer: Any) -> int:
    """Address behind one of wasmtime-py's typed pointers."""
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


def take_error(error: int) -> str:
    """Message of a `wasmtime_error_t`, which is deleted."""
    return _take_message(error, _error_message, _error_delete)


def _take_message(item: int, message: Any, delete: Any) -> str:
    text = _ByteVec()
    message(item, ctypes.byref(text))
    result = ctypes.string_at(text.data, text.size).decode("utf-8", "replace").rstrip("\0")
    _vec_delete(ctypes.byref(text))
    delete(item)
    return result


def discard(error: int, trap: int) -> None:
    """Delete what a call gave back, either or both of which may be 0, unread."""
    if error:
        _error_delete(error)
    if trap:
        _trap_delete(trap)


def take_trap(trap: int) -> tuple[int | None, str, int | None]:
    """What a `wasm_trap_t` says, which is deleted.

    Returns:
        (code, None for a host function's own; message; index of the function that trapped, if it is known).
    """
    code = ctypes.c_uint8()
    known = _trap_code(trap, ctypes.byref(code))
    origin = _trap_origin(trap)
    function = None
    if origin:
        function = int(_frame_function(origin))
        _frame_delete(origin)
    return (code.value if known else None), _take_message(trap, _trap_message, _trap_delete), function


def new_trap(text: bytes) -> int:
    """A trap for a callback to return; Wasmtime owns it then."""
    trap: int = _trap_new(text, len(text))
    return trap


def module_new(engine: int, wasm: bytes) -> int:
    """Compile.

    Raises:
        RuntimeError: Wasmtime refuses the module; after our own validation that is a fault of ours.
    """
    out = _size()
    error = _module_new(engine, wasm, len(wasm), ctypes.byref(out))
    if error:
        raise RuntimeError(f"the compiler refused an instrumented module: {take_error(error)}")
    return out.value


def module_serialize(module: int) -> bytes:
    """What `module_deserialize` takes, on this build of Wasmtime and this kind of processor.

    Raises:
        RuntimeError: Wasmtime can't.
    """
    out = _ByteVec()
    error = _module_serialize(module, ctypes.byref(out))
    if error:
        raise RuntimeError(f"a compiled module can't be written: {take_error(error)}")
    result = ctypes.string_at(out.data, out.size)
    _vec_delete(ctypes.byref(out))
    return result


def module_deserialize(engine: int, compiled: bytes) -> int:
    """A module from machine code, which is trusted: only what `module_serialize` of this user wrote may come here.

    Raises:
        RuntimeError: It is of another build or configuration.
    """
    out = _size()
    error = _module_deserialize(engine, compiled, len(compiled), ctypes.byref(out))
    if error:
        raise RuntimeError(f"compiled code is not for this engine: {take_error(error)}")
    return out.value


def configure(config: int, setter: str, kind: Any, value: int) -> None:
    """Call one of the setters of a `wasm_config_t`; see `ewasm.engine.compiler.Settings`."""
    _prototype(setter, None, _size, kind)(config, value)


def instantiate_pre(linker: int, module: int) -> int:
    """Link once, to instantiate often.

    Raises:
        RuntimeError: An import is not defined.
    """
    out = _size()
    error = _linker_instantiate_pre(linker, module, ctypes.byref(out))
    if error:
        raise RuntimeError(f"linking failed: {take_error(error)}")
    return out.value


def store_new(engine: int) -> tuple[int, int]:
    """A new store: (store, its context)."""
    store = _store_new(engine, 0, 0)
    return store, _store_context(store)


def export_get(context: int, instance: Any, name: bytes) -> ExternCell:
    """An export by name.

    Raises:
        RuntimeError: There is none.
    """
    cell = ExternCell()
    if not _export_get(context, ctypes.byref(instance), name, len(name), ctypes.byref(cell)):
        raise RuntimeError(f"no export {name!r}")
    return cell


def memory_grow(context: int, cell: ExternCell, pages: int) -> None:
    """Make a memory larger.

    Raises:
        MemoryError: There is no room.
    """
    before = ctypes.c_uint64()
    error = _memory_grow(context, ctypes.byref(cell.value), pages, ctypes.byref(before))
    if error:
        raise MemoryError(f"{pages} pages more: {take_error(error)}")


def global_get(context: int, cell: ExternCell, *, is_i64: bool) -> int:
    """Value of an integer global, signed."""
    out = _Value()
    _global_get(context, ctypes.byref(cell.value), ctypes.byref(out))
    return int(out.value[0]) if is_i64 else ctypes.c_int32(out.value[0] & 0xFFFFFFFF).value


def global_set_i32(context: int, cell: ExternCell, value: int) -> None:
    """Set a mutable i32 global.

    Raises:
        RuntimeError: It is not one.
    """
    error = _global_set(context, ctypes.byref(cell.value), ctypes.byref(_Value(0, (value, 0, 0))))
    if error:
        raise RuntimeError(f"a global is not set: {take_error(error)}")


def define_host_function(
    linker: int, module: str, name: str, params: list[ValType], results: list[ValType], callback: Any
) -> None:
    """Define a raw host function. `callback` is a `HostCallback` that the caller keeps alive.

    Raises:
        RuntimeError: Wasmtime refuses it.
    """
    function_type = FuncType(params, results)
    module_name, field_name = module.encode(), name.encode()
    error = _linker_define(
        linker,
        module_name,
        len(module_name),
        field_name,
        len(field_name),
        address_of(function_type.ptr()),
        callback,
        0,
        0,
    )
    if error:
        raise RuntimeError(f"host function {module}.{name}: {take_error(error)}")


CallbackBody = Callable[[int, int, Any, int], int]
