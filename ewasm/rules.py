"""Rule sets: which modules are contracts, what they may call, what it costs, how big anything may be.

`EWASM_2018` is the original interface as its fixtures expect it; `EWASM_2026` is the default. A researcher makes a new
one with `dataclasses.replace`. Everything here is consensus: two nodes agree if and only if their `digest` is equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from ewasm.metering.schedule import EWASM_2026 as SCHEDULE_2026
from ewasm.metering.schedule import FLAT, OFF, PARTICLES_PER_GAS, Schedule

__all__ = ["EWASM_2018", "EWASM_2018_FLAT", "EWASM_2026", "MAX_GAS", "RULES", "Limits", "Rules"]

MAX_GAS = (1 << 63) // PARTICLES_PER_GAS // 2
"""Most whole gas one frame can count; a frame given more counts with this much and gets the rest back untouched."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Structural limits of a module. What exceeds one is refused with the limit's name (`limit:functions`).

    `module_locals` bounds the sum over functions: three bytes declare a thousand locals, and a compiler makes code that
    sets each to zero.

    Two are no properties of a module but of a run. `stack_height`: the sum over live counted functions (see
    `ewasm.metering.stack_height`) may not pass it. `live_pages`: what the Wasm frames of a transaction that are live at
    once hold, in pages of 64 KiB: each its memory, and call data and return data, rounded up together. A frame whose
    memory would pass it fails, at its start or at `memory.grow`, rather than see -1: what its callers hold must not
    send a contract down a path of its own making.
    """

    code_bytes: int = 256 * 1024
    init_code_bytes: int = 256 * 1024 + 64 * 1024
    functions: int = 4_096
    types: int = 1_024
    imports: int = 512
    globals: int = 1_024
    data_segments: int = 512
    element_segments: int = 512
    parameters: int = 64
    results: int = 16
    locals: int = 1_024
    module_locals: int = 65_536
    body_bytes: int = 64 * 1024
    blocks: int = 5_000
    nesting: int = 256
    operand_height: int = 1_024
    br_table_targets: int = 4_096
    table_entries: int = 4_096
    memory_pages: int = 256
    stack_height: int = 16_384
    live_pages: int = 4_096


@dataclass(frozen=True, slots=True)
class Rules:
    """One rule set.

    Attributes:
        name: "EWASM_2018", "EWASM_2026" or a researcher's own.
        interface: Which column of PROTOCOL section 1 and which host functions hold: 2018 or 2026.
        features: Feature strings of the opcode table that modules may use.
        namespaces: Modules that imports may name.
        schedule: Prices.
        limits: Sizes.
        evm_allowed: Whether code without the Wasm magic runs (as EVM code) or fails with all gas gone.
    """

    name: str
    interface: int
    features: frozenset[str]
    namespaces: frozenset[str]
    schedule: Schedule
    limits: Limits
    evm_allowed: bool

    @property
    def digest(self) -> bytes:
        """32 bytes over everything that can change a result."""
        parts = [
            self.name,
            str(self.interface),
            ",".join(sorted(self.features)),
            ",".join(sorted(self.namespaces)),
            self.schedule.digest.hex(),
            ",".join(f"{f.name}={getattr(self.limits, f.name)}" for f in fields(self.limits)),
            str(self.evm_allowed),
        ]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    def activation_gas(self, code: bytes) -> int:
        """Whole gas that storing `code` costs beside the EVM's deposit: paid once, for validation and compilation."""
        schedule = self.schedule
        return -(-(schedule.code_base + len(code) * schedule.code_byte) // PARTICLES_PER_GAS)


EWASM_2018 = Rules(
    name="EWASM_2018",
    interface=2018,
    features=frozenset({"mvp"}),
    namespaces=frozenset({"ethereum"}),
    schedule=OFF,
    limits=Limits(code_bytes=24_576, init_code_bytes=1 << 20),
    evm_allowed=False,
)

EWASM_2026 = Rules(
    name="EWASM_2026",
    interface=2026,
    features=frozenset(
        {
            "mvp",
            "sign_extension",
            "mutable_global",
            "multi_value",
            "bulk_memory",
            "reference_types",
            "extended_const",
            "tail_call",
            "wide_arithmetic",
        }
    ),
    namespaces=frozenset({"ethereum", "bignum", "crypto"}),
    schedule=SCHEDULE_2026,
    limits=Limits(),
    evm_allowed=True,
)

EWASM_2018_FLAT = replace(EWASM_2018, name="EWASM_2018_FLAT", schedule=FLAT)
"""EWASM_2018 with 1 gas an instruction: what a node runs, since without metering an endless loop never ends."""

RULES: Mapping[str, Rules] = MappingProxyType({r.name: r for r in (EWASM_2018, EWASM_2018_FLAT, EWASM_2026)})
