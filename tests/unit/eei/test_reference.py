"""docs/eei.md says what the table, the schedules and the functions say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth.vm.forks.byzantium.opcodes import BYZANTIUM_OPCODES
from eth.vm.forks.cancun.opcodes import CANCUN_OPCODES
from eth.vm.forks.constantinople.opcodes import CONSTANTINOPLE_OPCODES
from eth.vm.forks.istanbul.opcodes import ISTANBUL_OPCODES
from eth.vm.forks.shanghai.opcodes import SHANGHAI_OPCODES

from chain.tracing.names import op_name
from ewasm.eei.bind import bind
from ewasm.eei.frame import Frame
from ewasm.errors import FrameEnd
from ewasm.fuzz.world import TX, message
from ewasm.metering.schedule import PARTICLES_PER_GAS, HostPrice
from ewasm.rules import EWASM_2026
from ewasm.sdk.reference import EVM_OPCODES, FORKS, markdown, price_text

DOCUMENT = Path(__file__).parents[3] / "docs" / "eei.md"
ROWS = [entry for entry in bind(EWASM_2026).values() if entry.row.name != "useGas"]


class Ran(Exception):
    """An EVM operation was asked for."""


class Host:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)

    call_gas = 0
    warm_load_gas = 0

    def evm(self, opcode: int, *_: object) -> tuple[int, int]:
        raise Ran(opcode)


@dataclass
class Zeros:
    def read(self, _offset: int, length: int) -> bytes:
        return bytes(length)

    def write(self, _offset: int, _data: bytes) -> None:
        pass

    def snapshot(self) -> bytes:
        return b""

    def size_bytes(self) -> int:
        return 65_536


def frame() -> Frame:
    return Frame(
        rules=EWASM_2026,
        host=Host(),
        message=message(),
        code=bytes(64),
        particles=1 << 60,
        input_data=bytes(64),
        memory=Zeros(),
        prices=EWASM_2026.schedule.host,
        tx=replace(TX, blob_hashes=()),
        return_data=bytes(64),
    )


def test_the_document_is_that_of_the_table() -> None:
    assert DOCUMENT.read_text() == markdown(), "say `make docs`"


@pytest.mark.parametrize("entry", ROWS, ids=lambda entry: entry.name)
def test_a_function_is_the_opcode_or_has_the_price_that_is_written(entry: Any) -> None:
    running = frame()
    before = running.particles
    opcode = -1
    try:
        entry.function(running, *(0 for _ in entry.row.params))
    except Ran as ran:
        opcode = ran.args[0]
    except FrameEnd:
        assert entry.row.name in ("finish", "revert")
    if entry.row.name in EVM_OPCODES:
        assert op_name(opcode) == EVM_OPCODES[entry.row.name].split(" to ")[0]
    else:
        assert opcode == -1
        assert before - running.particles == EWASM_2026.schedule.host[entry.row.price].base


def test_opcodes_came_with_the_forks_that_are_written() -> None:
    tables = {
        "Byzantium": BYZANTIUM_OPCODES,
        "Constantinople": CONSTANTINOPLE_OPCODES,
        "Istanbul": ISTANBUL_OPCODES,
        "Shanghai": SHANGHAI_OPCODES,
        "Cancun": CANCUN_OPCODES,
    }
    codes = {op_name(code): code for code in range(256)}

    def first(name: str) -> Iterator[str]:
        code = codes[EVM_OPCODES[name].split(" to ")[0]]
        return (fork for fork, table in tables.items() if code in table)

    assert {name: next(first(name)) for name in EVM_OPCODES} == {
        name: FORKS.get(name, "Byzantium") for name in EVM_OPCODES
    }


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (HostPrice(0), "0"),
        (HostPrice(2_000), "0.2"),
        (HostPrice(30 * PARTICLES_PER_GAS, per_word=6 * PARTICLES_PER_GAS), "30 + 6 a word"),
        (HostPrice(0, per_byte=300), "0.03 a byte"),
        (HostPrice(32_000 * PARTICLES_PER_GAS), "32,000"),
    ],
)
def test_prices_read_as_gas(price: HostPrice, text: str) -> None:
    assert price_text(price) == text
