"""Golden observations: what can be seen of a frame, recorded in fixtures/observations (schema in its README).

A case is code, rules and a message; its observation is taken on the interpreter against `FakeHost`. `make fixtures`
rewrites the files, so that a change of gas or meaning shows in review as a diff.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from ewasm.fuzz.oracle import Observation, observe
from ewasm.fuzz.world import OTHER, OWN, SENDER, message
from ewasm.initcode import with_arguments
from ewasm.message import Kind, Message
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2018, EWASM_2026, RULES, Rules
from tests.unit.eei.harness import ROWS, program
from tests.unit.metering.test_inject import BODIES, contract

FOLDER = Path(__file__).parent.parent / "fixtures" / "observations"
CONTRACTS = Path(__file__).parent.parent / "contracts"


@dataclass(frozen=True)
class Case:
    """One frame to observe; `path` is the file below fixtures/observations, without its ending."""

    path: str
    code: bytes
    rules: Rules
    message: Message


def cases() -> Iterator[Case]:
    yield from _host_functions()
    yield from _metering()
    yield from _contracts()
    yield from _failures()


def _host_functions() -> Iterator[Case]:
    """Every host function under each rule set that has it, on a frame with data for it."""
    data = bytearray(1032)
    data[0:20], data[32:48], data[64:96] = OTHER, (7).to_bytes(16, "little"), bytes(range(32))
    data[96:128] = (2**200 + 12345).to_bytes(32, "little")
    data[128:160] = (987654321).to_bytes(32, "little")
    data[160:192] = (2**255 + 17).to_bytes(32, "little")
    arguments = {
        "useGas": (123,),
        "getExternalBalance": (0, 1032),
        "getExternalCodeHash": (0, 1032),
        "getBlockHash": (12, 1032),
        "callDataCopy": (1032, 1, 5),
        "codeCopy": (1032, 0, 16),
        "returnDataCopy": (1032, 0, 0),
        "externalCodeCopy": (0, 1032, 0, 0),
        "getExternalCodeSize": (0,),
        "storageLoad": (64, 1032),
        "storageStore": (64, 96),
        "transientLoad": (64, 1032),
        "transientStore": (64, 96),
        "log": (64, 20, 2, 64, 96, 0, 0),
        "call": (20_000, 0, 32, 64, 40),
        "callCode": (20_000, 0, 32, 64, 40),
        "callDelegate": (20_000, 0, 64, 40),
        "callStatic": (20_000, 0, 64, 40),
        "create": (32, 64, 40, 1032),
        "create2": (32, 64, 40, 96, 1032),
        "finish": (64, 40),
        "revert": (64, 40),
        "selfDestruct": (0,),
        "getBlobHash": (0, 1032),
        "keccak256": (64, 100, 1032),
        "sha256": (64, 100, 1032),
        "printMem": (64, 3),
        "printMemHex": (64, 3),
        "printStorage": (64,),
        "printStorageHex": (64,),
        "print32": (5,),
        "print64": (5,),
    }
    by_shape = {
        ("bignum", 1, 1): (96,),
        ("bignum", 2, 0): (96, 1032),
        ("bignum", 2, 1): (96, 128),
        ("bignum", 3, 0): (128, 96, 1032),
        ("bignum", 4, 0): (96, 160, 128, 1032),
        ("ethereum", 1, 0): (1032,),
    }
    for rules in (EWASM_2018, EWASM_2026):
        for row in ROWS.values():
            if row.since > rules.interface:
                continue
            shape = (row.module, len(row.params), len(row.results))
            chosen = arguments.get(row.name, by_shape.get(shape, ()))
            code = program(f"{row.module}.{row.name}", chosen, bytes(data), (1032, 32))
            allowed = replace(rules, namespaces=rules.namespaces | {"debug"})
            yield Case(
                f"eei/{row.module}.{row.name}.{rules.interface}", code, allowed, message(input_data=b"call data")
            )


def _metering() -> Iterator[Case]:
    """The control-flow shapes of the metering tests under each schedule that charges."""
    for name, (body, extra) in BODIES.items():
        for schedule in ("flat", "design", "EWASM_2026"):
            path = f"metering/{name.replace(' ', '-').replace(chr(39), '').replace('.', '-')}.{schedule}"
            rules = replace(EWASM_2026, schedule=SCHEDULES[schedule])
            yield Case(path, contract(body, extra), rules, message())


def _contracts() -> Iterator[Case]:
    """The example contracts, each function once, against an empty state."""

    def call(signature: str, *values: Any) -> bytes:
        types = signature[signature.index("(") + 1 : -1]
        return keccak(signature.encode())[:4] + encode(types.split(",") if types else [], values)

    erc20 = (CONTRACTS / "erc20/erc20.wasm").read_bytes()
    arguments = encode(["string", "string", "uint256"], ["Gold", "GLD", 10**24])
    init = with_arguments(erc20, arguments)
    yield Case("contracts/erc20.deploy", init, EWASM_2026, message(kind=Kind.CREATE))
    for name, data in {
        "totalSupply": call("totalSupply()"),
        "decimals": call("decimals()"),
        "balanceOf": call("balanceOf(address)", OWN),
        "transfer-reverts": call("transfer(address,uint256)", OTHER, 5),
        "approve": call("approve(address,uint256)", OTHER, 5),
        "allowance": call("allowance(address,address)", SENDER, OTHER),
        "transferFrom-reverts": call("transferFrom(address,address,uint256)", SENDER, OTHER, 5),
        "unknown-function": b"\xde\xad\xbe\xef",
    }.items():
        yield Case(f"contracts/erc20.{name}", erc20, EWASM_2026, message(input_data=data))
    counter = (CONTRACTS / "counter/counter.wasm").read_bytes()
    for name in ("increment", "number"):
        yield Case(f"contracts/counter.{name}", counter, EWASM_2026, message(input_data=call(f"{name}()")))
    sha256 = (CONTRACTS / "sha256/sha256.wasm").read_bytes()
    for size in (0, 3, 55, 56, 64, 1000):
        yield Case(f"contracts/sha256.{size}", sha256, EWASM_2026, message(input_data=bytes(size)))


def _failures() -> Iterator[Case]:
    """Ways to fail, each seen up to its last host call."""
    gas_seen = "call $gas drop "
    for name, body in {
        "unreachable": "unreachable",
        "divide-by-zero": "i32.const 1 i32.const 0 i32.div_u drop",
        "overflow": "i32.const -2147483648 i32.const -1 i32.div_s drop",
        "load-outside": "i32.const 65533 i32.load drop",
        "store-outside": "i32.const -1 i32.const 0 i32.store8",
        "fill-outside": "i32.const 65536 i32.const 0 i32.const 1 memory.fill",
        "endless-loop": "loop br 0 end",
        "endless-recursion": "call 2",
        "finish-outside": "i32.const 65535 i32.const 2 call $finish",
    }.items():
        yield Case(f"failures/{name}", contract(gas_seen + body), EWASM_2026, message(gas=100_000))


def record(case: Case, observation: Observation) -> dict[str, Any]:
    """The JSON of a case and what was seen of it."""
    result = observation.result
    return {
        "rules": case.rules.name if case.rules.name in RULES else "EWASM_2026",
        "schedule": case.rules.schedule.name,
        "code": "0x" + case.code.hex(),
        "message": {
            "kind": case.message.kind.value,
            "gas": case.message.gas,
            "value": case.message.value,
            "input": "0x" + case.message.input_data.hex(),
        },
        "result": {
            "outcome": "success" if result.is_success else "revert" if result.is_revert else "failure",
            "gas_used": result.gas_used,
            **({"gas_eei": result.gas_eei} if result.is_success or result.is_revert else {}),
            "output": "0x" + result.output.hex(),
        },
        "host_calls": [
            f"{name}({', '.join(map(str, arguments))}) -> {value}; gas {before} -> {after}"
            for name, arguments, value, before, after in observation.calls
        ],
        "state": hashlib.sha256(repr((observation.events, observation.logs)).encode()).hexdigest(),
        **({"memory": hashlib.sha256(observation.memory).hexdigest()} if result.is_success or result.is_revert else {}),
    }


def text(case: Case, engine: str) -> str:
    """The file of a case, as one engine sees it."""
    return json.dumps(record(case, observe(case.code, engine, case.rules, case.message)), indent=1) + "\n"
