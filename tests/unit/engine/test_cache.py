"""The cache in memory: what it holds, what it lets go, and what a transaction finds again."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest

from ewasm.contract import check
from ewasm.engine.cache import Activated, ArtifactCache
from ewasm.errors import ForbiddenModule, ModuleError
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Kind, Status
from ewasm.rules import EWASM_2026
from ewasm.vm import VM
from tests.templates import module

LEAST = module('(memory (export "memory") 1) (func (export "main"))')


def numbered(index: int) -> bytes:
    return LEAST + b"\0\x06\x01#" + index.to_bytes(4, "little")


CODES = [numbered(index) for index in range(6)]


def counting(made: list[bytes]) -> Callable[[bytes], Activated]:
    def make(code: bytes) -> Activated:
        made.append(code)
        return Activated(check(code, EWASM_2026))

    return make


def test_the_least_recently_used_goes_first() -> None:
    cache, made = ArtifactCache(max_entries=2), list[bytes]()
    for index in (0, 1, 0, 2, 0, 1):
        cache.get(CODES[index], counting(made))
    assert made == [CODES[0], CODES[1], CODES[2], CODES[1]]


def test_bytes_of_code_are_bounded_and_one_contract_always_fits() -> None:
    cache, made = ArtifactCache(max_bytes=len(CODES[0]) + 1), list[bytes]()
    for index in (0, 0, 1, 0):
        cache.get(CODES[index], counting(made))
    assert made == [CODES[0], CODES[1], CODES[0]]


def test_a_transaction_that_goes_round_makes_each_contract_once() -> None:
    cache, made, transaction = ArtifactCache(max_entries=2), list[bytes](), object()
    for _ in range(3):
        for code in CODES:
            cache.of_transaction(transaction, code, counting(made))
    assert made == CODES
    # The next transaction pays for its own cold calls.
    cache.of_transaction(object(), CODES[0], counting(made))
    assert made == [*CODES, CODES[0]]


def test_what_a_transaction_holds_is_bounded() -> None:
    size = len(CODES[0])
    cache, made, transaction = ArtifactCache(max_entries=1, max_bytes=size), list[bytes](), object()
    for index in (0, 1, 2, 3, 2, 3, 0, 1):
        cache.of_transaction(transaction, CODES[index], counting(made))
    assert made == [CODES[index] for index in (0, 1, 2, 3, 2, 3)]


def test_a_refusal_is_kept_too() -> None:
    cache, tries = ArtifactCache(), list[bytes]()

    def refuse(code: bytes) -> Activated:
        tries.append(code)
        raise ForbiddenModule("no", rule="start")

    for _ in range(2):
        with pytest.raises(ModuleError):
            cache.of_transaction(tries, CODES[0], refuse)
    assert tries == [CODES[0]]


def test_modules_that_wait_for_their_first_run_are_bounded() -> None:
    cache = ArtifactCache(max_fresh_bytes=2 * len(CODES[0]))
    entries = [cache.get(code, counting([])) for code in CODES]
    assert [entry.contract._valid is not None for entry in entries] == [False] * 4 + [True] * 2
    # What was let go is made again from the code.
    assert entries[0].contract.valid.module.exports


def test_a_contract_whose_module_was_let_go_runs() -> None:
    for engine in ("native", "interpreter"):
        machine = VM(EWASM_2026, engine)
        machine.cache = ArtifactCache(max_fresh_bytes=1)
        for code in CODES:
            machine.check(code)
        for code in CODES:
            result = machine.execute(FakeHost(), message(), code)
            assert result.is_success
            assert result.gas_used == machine.execute(FakeHost(), message(), code).gas_used


def test_a_refusal_that_is_kept_holds_no_frame_and_is_shared_by_none() -> None:
    refused = module('(memory (export "memory") 1)')
    vm, raised = VM(EWASM_2026, "interpreter"), list[ModuleError]()
    for _ in range(3):
        with pytest.raises(ForbiddenModule) as caught:
            vm.check(refused)
        raised.append(caught.value)
    assert len({id(error) for error in raised}) == 3
    assert [error.as_dict() for error in raised] == [raised[0].as_dict()] * 3

    host = FakeHost()
    gone = weakref.ref(host)
    result = vm.create(host, message(gas=10_000_000, kind=Kind.CREATE), refused)
    assert result.status is Status.CONTRACT_VALIDATION_FAILURE
    del host
    gc.collect()
    assert gone() is None
