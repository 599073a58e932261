"""Slots for instances, made once and used again.

Without them every frame maps memory of its own and gives it back: 14 us for an instance, and 10 us for the first touch
of each page. In slots that keep their first pages it is 5 us, touch included. What is reserved is address space, not
memory. Slots can run out, where the address space is small or many frames live at once, so whoever uses them needs
another way beside them: see `NativeEngine`.
"""

from __future__ import annotations

import ctypes
import mmap
import sys

from ewasm.engine import boundary

__all__ = ["INSTANCES", "can_reserve", "use_slots"]

INSTANCES = 2_304
"""Frames that may live at once in slots: two transactions or calls at full depth (1,025 each), and some."""

_MEMORIES_PER_INSTANCE = 2  # the contract's own, and the environment that the prelude reads
_SLOT_BYTES = (1 << 32) + (32 << 20)  # what Wasmtime reserves for a memory: all that an i32 can name, and a guard
_RESIDENT_BYTES = 1 << 16  # of each free slot, zeroed by hand instead of being given back
_WARM_SLOTS = 64
_INSTANCE_BYTES = 1 << 20
_TABLE_ENTRIES = 1 << 16
_MAP_NORESERVE = 0x4000  # Linux; `mmap` names it from Python 3.13 on


def can_reserve(instances: int = INSTANCES) -> bool:
    """Whether this process may reserve the address space that the slots take; nothing is kept."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    map_memory, unmap = libc.mmap, libc.munmap
    map_memory.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    map_memory.restype = ctypes.c_size_t
    unmap.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    # A tenth more, for tables and for what else is to be mapped later.
    size = instances * _MEMORIES_PER_INSTANCE * _SLOT_BYTES * 11 // 10
    if size >= 1 << 62:
        return False
    address = map_memory(None, size, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE, -1, 0)
    if address == ctypes.c_size_t(-1).value:
        return False
    unmap(address, size)
    return True


def use_slots(config: int, instances: int = INSTANCES) -> None:
    """Have the engine that is made of `config` (its address) keep its instances in slots."""
    settings = {
        "total_core_instances": instances,
        "total_memories": instances * _MEMORIES_PER_INSTANCE,
        "total_tables": instances,
        "max_memories_per_module": _MEMORIES_PER_INSTANCE,
        "max_memory_size": 1 << 32,
        "table_elements": _TABLE_ENTRIES,
        "max_core_instance_size": _INSTANCE_BYTES,
        "max_unused_warm_slots": _WARM_SLOTS,
        "linear_memory_keep_resident": _RESIDENT_BYTES,
        "table_keep_resident": _RESIDENT_BYTES,
    }
    boundary.config_pooling(config, settings)
