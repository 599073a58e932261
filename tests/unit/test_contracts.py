"""contracts/: what is committed is what its sources build, and every module passes the gate."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from contracts import build, evm_assembler, measure
from ewasm.cli.abi import _type_of
from ewasm.contract import check
from ewasm.eei.table import TABLE
from ewasm.initcode import with_arguments, wrap_runtime
from ewasm.rules import EWASM_2018, EWASM_2026
from ewasm.sdk import generate
from ewasm.wasm.decode import decode

MODULES = sorted(build.FOLDER.glob("*/*.wasm"))
ABIS = sorted(build.FOLDER.glob("*/*.json"))


def test_checksums_match_the_committed_files() -> None:
    assert build.verify_checksums() == []


def test_checksums_notice_another_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    files = build.committed()
    files["sha256/sha256.wasm"] += b"\0"
    monkeypatch.setattr(build, "committed", lambda: files)
    assert build.verify_checksums() == ["sha256/sha256.wasm"]


@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed")
def test_sources_rebuild_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    # Those through npm have a test of their own, which installs the compilers.
    monkeypatch.setattr(build, "has_npm", lambda *_: False)
    assert build.verify_rebuild() == []


def test_sdk_is_what_the_table_of_host_functions_says() -> None:
    assert generate.outdated() == []


def test_sdk_declares_every_host_function_in_every_language() -> None:
    for name, text in generate.generated().items():
        for row in TABLE:
            assert f'"{row.name}"' in text or f"fn {row.name}(" in text, (name, row.key)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.parent.name + "/" + file.stem)
def test_module_is_a_contract_with_exact_exports(file: Path) -> None:
    contract = check(file.read_bytes(), EWASM_2026)
    names = {export.name for export in contract.valid.module.exports}
    assert names - {"deploy"} == {"main", "memory"}


def test_counter_is_a_contract_of_the_original_interface_too() -> None:
    check((build.FOLDER / "counter/counter.wasm").read_bytes(), EWASM_2018)


@pytest.mark.parametrize("file", ABIS, ids=lambda file: file.parent.name + "/" + file.stem)
def test_source_knows_every_selector_of_its_abi(file: Path) -> None:
    endings = (".c", ".zig", ".rs", ".ts", ".wat", ".easm", ".sol", ".vy")
    path = next(path for ending in endings if (path := file.with_suffix(ending)).exists())
    if path.suffix in {".sol", ".vy"}:
        # The compiler wrote it.
        return
    source = path.read_text()
    for item in json.loads(file.read_text()):
        if item["type"] == "function":
            signature = f"{item['name']}({','.join(_type_of(parameter) for parameter in item['inputs'])})"
            selector = keccak(text=signature)[:4]
            spelled = (
                f"0x{selector.hex()}",
                f"0x{selector[::-1].hex()}",
                f'selector "{signature}"',
                f'.{{ "{signature}", ',
                f'"{signature}" => ',
            )
            assert any(form in source for form in spelled), signature


def test_event_topics_of_the_token_are_hashes_of_their_signatures() -> None:
    source = (build.FOLDER / "erc20/erc20.c").read_text().replace("0x", "").replace(", ", "").replace(",\n    ", "")
    for signature in ("Transfer(address,address,uint256)", "Approval(address,address,uint256)"):
        assert keccak(text=signature).hex() in source


def test_evm_artifact_is_init_code_of_the_assembled_source() -> None:
    runtime = evm_assembler.assemble((build.FOLDER / "crossvm/payer.easm").read_text())
    code = bytes.fromhex((build.FOLDER / "crossvm/payer.bin").read_text())
    assert code.endswith(runtime)
    assert code[:1] == b"\x61"
    assert int.from_bytes(code[1:3], "big") == len(runtime)
    assert code[5] == len(code) - len(runtime)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("push 0 sload ; comment", "600054"),
        ("push 0x1234", "611234"),
        ('push "ab"', "7f6162" + "00" * 30),
        ("start: jump @start", "5b61000056"),
        ("push @end jump end: stop", "61000456" + "5b00"),
        ('selector "number()"', "638381f58a"),
    ],
)
def test_assembler(source: str, code: str) -> None:
    assert evm_assembler.assemble(source).hex() == code


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("\nfrobnicate", "line 2: unknown word"),
        ("push", "line 1: push needs"),
        ("push x", "line 1: push needs"),
        ("jump @nowhere", "line 1: label nowhere is not defined"),
        ("a: a:", "line 1: label a is defined twice"),
        ("selector transfer", "line 1: selector needs"),
    ],
)
def test_assembler_refuses(source: str, message: str) -> None:
    with pytest.raises(evm_assembler.AssemblyError, match=message):
        evm_assembler.assemble(source)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 250_000])
def test_wrapped_runtime_is_an_init_module_that_holds_it(size: int) -> None:
    code = bytes(range(256)) * (size // 256) + bytes(size % 256)
    contract = check(wrap_runtime(code), EWASM_2026, size_limit=EWASM_2026.limits.init_code_bytes)
    assert contract.valid.module.data[0].data == code
    assert contract.initial_pages * 65_536 >= size


def test_arguments_are_the_last_custom_section() -> None:
    module = (build.FOLDER / "erc20/erc20.wasm").read_bytes()
    section = decode(with_arguments(module, b"arguments" * 100)).customs[-1]
    assert (section.name, section.data, section.offset) == ("ewasm.args", b"arguments" * 100, len(module))


def test_gas_of_every_step_is_as_expected() -> None:
    """Renewed by `python -m contracts.measure --write`; a change of gas has to be meant."""
    gas = measure.snapshot()
    assert measure.differences(gas) == []
    assert measure.readme(gas) == (build.FOLDER / "README.md").read_text()


def test_gas_is_the_same_on_the_interpreter() -> None:
    for name in ("ERC-20, Rust", "exchange", "reentrancy, Wasm"):
        meter = measure.Meter("interpreter")
        measure.SCENARIOS[name](meter)
        assert meter.steps == json.loads((build.FOLDER / "gas.json").read_text())[name]


def test_difference_of_gas_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SCENARIOS", {"factory": measure.SCENARIOS["factory"]})
    gas = measure.snapshot()
    gas["factory"]["make"][0] += 1
    found = [line for line in measure.differences(gas) if line.startswith("factory")]
    assert len(found) == 1
    assert found[0].startswith("factory, make: ")
