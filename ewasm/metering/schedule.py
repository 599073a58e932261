"""Gas schedules: data only. A schedule prices cost classes; the opcode and host-function tables name the classes.

Unit: particle; 1 gas = 10,000 particles. Every class of the opcode table must have a price in every schedule, so that
an unpriced opcode can't run. Schedules are versioned by name and hashed into `Rules.digest`.

| schedule | instructions | origin |
|---|---|---|
| `off` | nothing | the fixtures of 2018 |
| `flat` | 1 gas each | the sentinel contract of the 2018 testnet |
| `design` | cycles at 2.2 GHz, 10 Mgas/s: 0.0045 gas a cycle | the Ewasm design document of 2018 |
| `EWASM_2026` | picoseconds, measured | `make calibrate`, docs/DECISIONS.md |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

__all__ = ["DESIGN", "EWASM_2026", "FLAT", "OFF", "PARTICLES_PER_GAS", "SCHEDULES", "HostPrice", "Schedule"]

PARTICLES_PER_GAS = 10_000


@dataclass(frozen=True, slots=True)
class HostPrice:
    """Price of a host function in particles: `base + per_word * words + per_byte * bytes` of its data."""

    base: int
    per_word: int = 0
    per_byte: int = 0


def _gas(base: int, per_word: int = 0, per_byte: int = 0) -> HostPrice:
    return HostPrice(base * PARTICLES_PER_GAS, per_word * PARTICLES_PER_GAS, per_byte * PARTICLES_PER_GAS)


@dataclass(frozen=True)
class Schedule:
    """Prices in particles.

    Attributes:
        name: Stable name, part of the rules' digest.
        opcodes: Cost class of the opcode table -> price of one instruction.
        page_grown: Each page asked of `memory.grow`, given or not.
        byte_moved: Each byte of `memory.copy`, `memory.fill`, `memory.init`.
        entry_moved: Each entry of `table.copy`, `table.fill`, `table.init`, `table.grow`.
        branch_target: Each label of a `br_table`, the default not counted.
        local: Each declared local, at entry to its function.
        initial_page: Each page of initial memory, when a frame starts.
        initial_byte: Each byte of active data segments, when a frame starts.
        initial_entry: Each entry of an initial table and of active element segments, when a frame starts.
        code_base: A Wasm contract when it is activated, that is when a creation runs or stores it.
        code_byte: Each byte of it.
        far_memory: Rows of (pages, particles): a module whose memory may hold more pages than that pays so much more
            for each instruction that reads memory, and for each host function that does and runs in Wasm, since
            caches no longer hold it. The last row that applies counts; see `reaching`.
        host: Price class of the host-function table -> price.
    """

    name: str
    opcodes: Mapping[str, int]
    host: Mapping[str, HostPrice]
    page_grown: int = 0
    byte_moved: int = 0
    entry_moved: int = 0
    branch_target: int = 0
    local: int = 0
    initial_page: int = 0
    initial_byte: int = 0
    initial_entry: int = 0
    code_base: int = 0
    code_byte: int = 0
    far_memory: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        linear = (self.page_grown, self.byte_moved, self.entry_moved)
        if any(not 0 <= price < 1 << 30 for price in linear):
            # The injected charge is `operand * price` in an i64: 2^32 * 2^30 leaves room for the counter itself.
            raise ValueError(f"schedule {self.name}: a linear price must lie in 0 .. 2^30-1 particles")
        object.__setattr__(self, "opcodes", MappingProxyType(dict(self.opcodes)))
        object.__setattr__(self, "host", MappingProxyType(dict(self.host)))

    @property
    def is_free(self) -> bool:
        """Whether instructions cost nothing at all, so that nothing needs to be injected."""
        linear = (self.page_grown, self.byte_moved, self.entry_moved, self.branch_target, self.local)
        return not any(self.opcodes.values()) and not any(linear)

    @property
    def digest(self) -> bytes:
        """32 bytes over every number in the schedule."""
        parts = [self.name, *(f"{k}={v}" for k, v in sorted(self.opcodes.items()))]
        parts += [f"{k}={v.base},{v.per_word},{v.per_byte}" for k, v in sorted(self.host.items())]
        parts += [
            f"{name}={getattr(self, name)}"
            for name in (
                "page_grown",
                "byte_moved",
                "entry_moved",
                "branch_target",
                "local",
                "initial_page",
                "initial_byte",
                "initial_entry",
                "code_byte",
            )
        ]
        # Where there is none, as it was before there could be.
        parts += [f"code_base={self.code_base}"] * (self.code_base > 0)
        parts += [f"far_memory={pages},{more}" for pages, more in self.far_memory]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    def reaching(self, pages: int) -> Schedule:
        """What a module pays whose memory may hold so many pages; it has no `far_memory` left to add."""
        more = max((row for row in self.far_memory if row[0] < pages), default=(0, 0))[1]
        return _dearer_memory(self, more) if more else self

    def with_opcodes(self, name: str, **prices: int) -> Schedule:
        """A copy under another name with some classes repriced, for research."""
        unknown = sorted(set(prices) - set(self.opcodes))
        if unknown:
            raise ValueError(f"no such cost class: {', '.join(unknown)}")
        return replace(self, name=name, opcodes={**self.opcodes, **prices})


# What waits for memory that it reads; nothing waits for what it writes.
_READERS = ("load32", "load64", "memory_copy")
_HOST_READERS = (
    "keccak256", "sha256",
    "bignum_cheap", "bignum_mul", "bignum_div", "bignum_addmod", "bignum_mulmod", "bignum_exp",
)  # fmt: skip


def _dearer_memory(schedule: Schedule, more: int) -> Schedule:
    opcodes = {name: price + more * (name in _READERS) for name, price in schedule.opcodes.items()}
    host = {
        name: replace(price, base=price.base + more * (name in _HOST_READERS)) for name, price in schedule.host.items()
    }
    return replace(schedule, opcodes=opcodes, host=host, far_memory=())


# Every cost class of the opcode table, with the cycles of the 2018 design document where it names them and this
# project's completion where it does not (marked *): the schedules below derive from the first column or replace it.
_CYCLES: dict[str, float] = {
    "const": 0,
    "nop": 1,  # *
    "unreachable": 1,  # *
    "block": 0,
    "loop": 0,
    "if": 0,
    "else": 2,
    "end": 0,
    "br": 2,
    "br_if": 3,
    "br_table": 2,
    "return": 2,
    "call": 2,
    "call_indirect": 10,
    "return_call": 2,  # *
    "return_call_indirect": 10,  # *
    "drop": 3,
    "select": 3,
    "local_get": 3,
    "local_set": 3,
    "local_tee": 3,
    "global_get": 3,
    "global_set": 3,
    "load32": 3,
    "load64": 3,
    "store32": 3,
    "store64": 3,
    "memory_size": 3,
    "memory_grow": 3,
    "memory_copy": 3,  # *
    "memory_fill": 3,  # *
    "memory_init": 3,  # *
    "data_drop": 3,  # *
    "table_get": 3,  # *
    "table_set": 3,  # *
    "table_size": 3,  # *
    "table_grow": 3,  # *
    "table_fill": 3,  # *
    "table_copy": 3,  # *
    "table_init": 3,  # *
    "elem_drop": 3,  # *
    "ref": 3,  # *
    "ref_func": 3,  # *
    "add32": 1,
    "add64": 1,
    "compare32": 1,
    "compare64": 1,
    "mul32": 3,
    "mul64": 3,
    "div32": 80,
    "div64": 80,
    "shift32": 1.5,
    "shift64": 1.5,
    "rotate32": 2,
    "rotate64": 2,
    "count32": 105,
    "count64": 105,
    "convert": 3,
    "add128": 4,  # *
    "mul_wide": 6,  # *
    "float": 3,  # never charged: no rule set admits floats
}

COST_CLASSES = tuple(_CYCLES)

# The functions of 2018 and what they cost (PROTOCOL section 2). Class "fork" of 2026 is priced by the EVM fork in force
# and does not stand here.
_HOST_2018: dict[str, HostPrice] = {
    "free": _gas(0),
    "context": _gas(2),
    "copy": _gas(3, per_word=3),
    "external_balance": _gas(400),
    "block_hash": _gas(800),
    "external_code_size": _gas(700),
    "external_code_copy": _gas(700, per_word=3),
    "storage_load": _gas(200),
    "storage_store": _gas(5000),
    "storage_store_new": _gas(15000),
    "log": _gas(375, per_byte=8),
    "log_topic": _gas(375),
    "call": _gas(700),
    "call_value": _gas(9000),
    "call_new_account": _gas(25000),
    "create": _gas(32000),
    "selfdestruct": _gas(5000),
    "selfdestruct_new_account": _gas(25000),
}

# With those that came later at what the EVM asks for its opcode.
_HOST_EVM: dict[str, HostPrice] = {
    **_HOST_2018,
    "finish": _gas(0),
    "blob_hash": _gas(3),
    "call_data": _gas(0, per_word=3),
    "keccak256": _gas(30, per_word=6),
    "sha256": _gas(60, per_word=12),
    "bignum_cheap": _gas(3),
    "bignum_mul": _gas(5),
    "bignum_div": _gas(5),
    "bignum_addmod": _gas(8),
    "bignum_mulmod": _gas(8),
    "bignum_exp": _gas(10, per_byte=50),
}

# Those that run inside Wasm at what they take, in picoseconds; keccak256 and sha256 at the EVM's price, which fits.
_HOST_2026: dict[str, HostPrice] = {
    **_HOST_EVM,
    "context": HostPrice(2_000),
    "copy": HostPrice(4_000, per_word=2_500),
    "finish": HostPrice(0, per_byte=300),
    "blob_hash": HostPrice(2_000),
    "bignum_cheap": HostPrice(5_000),
    "bignum_mul": HostPrice(6_000),
    "bignum_div": HostPrice(60_000),
    "bignum_addmod": HostPrice(80_000),
    "bignum_mulmod": HostPrice(160_000),
    "bignum_exp": HostPrice(6_000, per_byte=60_000),
}

OFF = Schedule(name="off", opcodes=dict.fromkeys(_CYCLES, 0), host=_HOST_EVM)

FLAT = Schedule(
    name="flat",
    opcodes=dict.fromkeys(_CYCLES, PARTICLES_PER_GAS),
    host=_HOST_EVM,
    page_grown=1_000 * PARTICLES_PER_GAS,
    byte_moved=PARTICLES_PER_GAS,
    entry_moved=PARTICLES_PER_GAS,
    branch_target=0,
    local=0,
)

DESIGN = Schedule(
    name="design",
    # 45 particles a cycle, rounded up.
    opcodes={name: -int(-cycles * 45 // 1) for name, cycles in _CYCLES.items()},
    host=_HOST_EVM,
    page_grown=1_000 * PARTICLES_PER_GAS,
    byte_moved=45,
    entry_moved=135,
    branch_target=45,
    local=45,
    initial_page=1_000 * PARTICLES_PER_GAS,
    initial_byte=45,
    initial_entry=135,
)

# Picoseconds on the native engine, at 10 ns a gas: what an instruction takes when the next one waits for it, at the
# worst operands. `make calibrate` measures again; where a price is not the time, docs/DECISIONS.md says why.
EWASM_2026 = Schedule(
    name="EWASM_2026",
    opcodes={
        "const": 20,
        "nop": 20,
        "unreachable": 20,
        "block": 20,
        "loop": 20,
        "if": 1_000,
        "else": 250,
        "end": 20,
        "br": 250,
        "br_if": 1_000,
        "br_table": 3_000,
        "return": 250,
        "call": 3_000,
        "call_indirect": 5_000,
        "return_call": 3_000,
        "return_call_indirect": 5_000,
        "drop": 20,
        "select": 200,
        "local_get": 50,
        "local_set": 50,
        "local_tee": 50,
        "global_get": 400,
        "global_set": 400,
        "load32": 2_500,
        "load64": 2_500,
        "store32": 1_000,
        "store64": 1_000,
        "memory_size": 150,
        "memory_grow": 30_000,
        "memory_copy": 10_000,
        "memory_fill": 10_000,
        "memory_init": 10_000,
        "data_drop": 1_000,
        "table_get": 2_000,
        "table_set": 2_000,
        "table_size": 150,
        "table_grow": 30_000,
        "table_fill": 10_000,
        "table_copy": 10_000,
        "table_init": 10_000,
        "elem_drop": 1_000,
        "ref": 250,
        "ref_func": 20_000,
        "add32": 120,
        "add64": 120,
        "compare32": 400,
        "compare64": 400,
        "mul32": 500,
        "mul64": 500,
        "div32": 3_000,
        "div64": 4_000,
        "shift32": 120,
        "shift64": 120,
        "rotate32": 120,
        "rotate64": 120,
        "count32": 250,
        "count64": 250,
        "convert": 120,
        "add128": 300,
        "mul_wide": 900,
        "float": 10_000,
    },
    host=_HOST_2026,
    page_grown=1_000 * PARTICLES_PER_GAS,
    byte_moved=100,
    entry_moved=12_000,
    branch_target=20,
    local=100,
    initial_page=1_000 * PARTICLES_PER_GAS,
    initial_byte=100,
    initial_entry=12_000,
    code_base=50_000 * PARTICLES_PER_GAS,
    code_byte=100 * PARTICLES_PER_GAS,
    far_memory=((16, 4_000), (32, 60_000)),
)

SCHEDULES: Mapping[str, Schedule] = MappingProxyType({s.name: s for s in (OFF, FLAT, DESIGN, EWASM_2026)})
