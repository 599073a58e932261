"""State, logs, calls and creations: byte orders, ranges, order of checks; prices of 2018."""

from __future__ import annotations

import pytest

from ewasm.fuzz.world import OTHER, OWN, SENDER, FakeHost, message
from ewasm.message import Kind, Status
from ewasm.rules import Rules
from tests.unit.eei.harness import PAGE, RULES_2018, RULES_2026, run

KEY = bytes(range(32))
VALUE = bytes(range(100, 132))
ZERO = bytes(32)


def stored(value: bytes) -> FakeHost:
    return FakeHost(storage={(OWN, KEY): value})


@pytest.mark.parametrize(
    ("old", "new", "gas", "refund"),
    [(ZERO, VALUE, 20_000, 0), (VALUE, KEY, 5_000, 0), (VALUE, ZERO, 5_000, 15_000), (ZERO, ZERO, 5_000, 0)],
)
def test_storage_store_2018(old: bytes, new: bytes, gas: int, refund: int) -> None:
    result, _, _, host = run("ethereum.storageStore", 0, 32, data=KEY + new, rules=RULES_2018, host=stored(old))
    assert (result.gas_used, host.refund) == (gas, refund)
    assert host.get_storage(OWN, KEY) == new


def test_storage_load_2018() -> None:
    result, _, memory, _ = run("ethereum.storageLoad", 0, 1032, data=KEY, rules=RULES_2018, host=stored(VALUE))
    assert (result.gas_used, memory) == (200, VALUE)


def test_storage_of_2026_is_the_evm_opcode() -> None:
    result, _, memory, host = run("ethereum.storageLoad", 0, 1032, data=KEY, host=stored(VALUE))
    assert memory == VALUE
    assert host.events[0][:3] == ("evm", 0x54, (int.from_bytes(KEY, "big"),))
    assert result.gas_used == 100
    _, _, _, host = run("ethereum.storageStore", 0, 32, data=KEY + VALUE)
    assert host.get_storage(OWN, KEY) == VALUE
    _, _, _, host = run("ethereum.transientStore", 0, 32, data=KEY + VALUE)
    assert host.transient == {int.from_bytes(KEY, "big"): int.from_bytes(VALUE, "big")}


@pytest.mark.parametrize("rules", [RULES_2018, RULES_2026], ids=["2018", "2026"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("storageStore", (0, 32)),
        ("log", (0, 0, 0, 0, 0, 0, 0)),
        ("create", (0, 0, 0, 1032)),
        ("selfDestruct", (0,)),
        ("call", (0, 0, 32, 0, 0)),
    ],
)
def test_state_changes_fail_in_a_static_frame(name: str, arguments: tuple[int, ...], rules: Rules) -> None:
    data = bytes(32) + b"\1"
    result, _, _, host = run(
        f"ethereum.{name}",
        *arguments,
        data=data,
        rules=rules,
        request=message(is_static=True),
    )
    if name == "call" and rules is RULES_2026:
        # The fork's CALL makes this check; the stand-in host does not know it.
        return
    assert result.status is Status.STATIC_MODE_VIOLATION
    assert not host.logs
    assert not [e for e in host.events if e[0] in ("set_storage", "call", "selfdestruct")]


@pytest.mark.parametrize("topics", range(5))
def test_log_reads_only_the_topics_it_uses(topics: int) -> None:
    pointers = [64 + i if i < topics else 2**32 - 1 for i in range(4)]
    data = b"hello".ljust(64, b".") + bytes(range(64))
    for rules in (RULES_2018, RULES_2026):
        result, _, _, host = run("ethereum.log", 0, 5, topics, *pointers, data=data, rules=rules)
        assert host.logs == [(OWN, b"hello", tuple(data[64 + i : 96 + i] for i in range(topics)))]
        if rules is RULES_2018:
            assert result.gas_used == 375 + 375 * topics + 8 * 5


def test_log_refuses_a_fifth_topic_and_a_range_outside() -> None:
    for rules in (RULES_2018, RULES_2026):
        result = run("ethereum.log", 0, 0, 5, 0, 0, 0, 0, rules=rules)[0]
        assert result.status is Status.ARGUMENT_OUT_OF_RANGE
        big = message(gas=2**40)
        result = run("ethereum.log", 1, PAGE, 0, 0, 0, 0, 0, rules=rules, request=big)[0]
        assert result.status is Status.INVALID_MEMORY_ACCESS


def test_an_enormous_log_is_out_of_gas_before_it_is_copied() -> None:
    assert run("ethereum.log", 0, 2**32 - 1, 4, 0, 0, 0, 0)[0].status is Status.OUT_OF_GAS


def test_call_2018_in_its_exact_order() -> None:
    data = OTHER.ljust(32, b"\0") + (7).to_bytes(16, "little")
    host = FakeHost(balances={OWN: 100, OTHER: 0})
    result, value, _, used = run(
        "ethereum.call", 5000, 0, 32, 0, 4, data=data, rules=RULES_2018, host=host, request=message(gas=100_000)
    )
    kind, child, _ = used.events[0]
    assert kind == "call"
    assert (child.kind, child.recipient, child.sender, child.value) == (Kind.CALL, OTHER, OWN, 7)  # type: ignore[attr-defined]
    assert child.gas == 5000 + 2300  # type: ignore[attr-defined]
    assert child.input_data == OTHER[:4]  # type: ignore[attr-defined]
    assert child.depth == 1  # type: ignore[attr-defined]
    given_back = 0 if value == 1 else 7300 // 2
    assert result.gas_used == 700 + 9000 + 5000 - given_back
    assert result.gas_calls == 7300 - given_back


def test_call_2018_to_a_new_account_costs_more_and_too_little_balance_is_failure() -> None:
    data = OTHER.ljust(32, b"\0") + (7).to_bytes(16, "little")
    for balance, gas, calls in ((100, 700 + 9000 + 25000, 1), (6, 700 + 9000, 0)):
        host = FakeHost(balances={OWN: balance})
        result, value, _, used = run("ethereum.call", 0, 0, 32, 0, 0, data=data, rules=RULES_2018, host=host)
        assert len(used.events) == calls
        if calls == 0:
            assert (result.gas_used, value) == (gas, 1)
        else:
            assert result.gas_used >= gas - 2300


def test_an_own_balance_over_128_bits_fails_calls_with_value_and_creations_of_2018() -> None:
    data = OTHER.ljust(32, b"\0") + (7).to_bytes(16, "little")
    host = FakeHost(balances={OWN: 2**128})
    result = run("ethereum.call", 0, 0, 32, 0, 0, data=data, rules=RULES_2018, host=host)[0]
    assert result.status is Status.ARGUMENT_OUT_OF_RANGE
    result = run("ethereum.create", 64, 0, 0, 1032, data=data, rules=RULES_2018, host=host)[0]
    assert result.status is Status.ARGUMENT_OUT_OF_RANGE
    assert run("ethereum.call", 0, 0, 64, 0, 0, data=data, rules=RULES_2018, host=host)[0].is_success


def test_call_2018_at_the_depth_limit_fails_without_a_child() -> None:
    result, value, _, host = run("ethereum.callStatic", 100, 0, 0, 0, rules=RULES_2018, request=message(depth=1024))
    assert (value, result.gas_used, host.events) == (1, 700, [])


def test_delegate_and_static_calls_2018() -> None:
    data = OTHER.ljust(32, b"\0")
    request = message(value=9)
    _, _, _, host = run("ethereum.callDelegate", 1000, 0, 0, 0, data=data, rules=RULES_2018, request=request)
    child = host.events[0][1]
    assert (child.recipient, child.sender, child.value, child.code_address, child.gas) == (OWN, SENDER, 9, OTHER, 1000)  # type: ignore[attr-defined]
    _, _, _, host = run("ethereum.callStatic", 1000, 0, 0, 0, data=data, rules=RULES_2018, request=request)
    child = host.events[0][1]
    assert (child.is_static, child.value, child.recipient) == (True, 0, OTHER)  # type: ignore[attr-defined]


@pytest.mark.parametrize("rules", [RULES_2018, RULES_2026], ids=["2018", "2026"])
@pytest.mark.parametrize("name", ["call", "callCode", "callDelegate", "callStatic"])
def test_negative_gas_and_ranges_outside_fail(name: str, rules: Rules) -> None:
    extra = (0,) if name in ("call", "callCode") else ()
    cases = [(-1, 0, *extra, 0, 0), (0, PAGE - 19, *extra, 0, 0), (0, 0, *extra, PAGE, 1)]
    if extra:
        cases.append((0, 0, PAGE - 15, 0, 0))
    for arguments in cases:
        assert not run(f"ethereum.{name}", *arguments, rules=rules)[0].is_success
    nowhere = (0, 0, *extra, 2**32 - 1, 0)
    assert run(f"ethereum.{name}", *nowhere, rules=rules)[0].is_success


def test_calls_of_2026_are_the_evm_opcodes() -> None:
    data = OTHER.ljust(32, b"\0") + (7).to_bytes(16, "little")
    other = int.from_bytes(OTHER, "big")
    for name, opcode, extra, operands in (
        ("call", 0xF1, (32,), (5000, other, 7)),
        ("callCode", 0xF2, (32,), (5000, other, 7)),
        ("callDelegate", 0xF4, (), (5000, other)),
        ("callStatic", 0xFA, (), (5000, other)),
    ):
        result, _, _, host = run(f"ethereum.{name}", 5000, 0, *extra, 0, 4, data=data)
        event = host.events[0]
        assert (event[1], event[2], event[4]) == (opcode, operands, OTHER[:4]), name
        assert result.gas_calls == 5000 // 3
        assert result.gas_used == 3 + 100 + 8 * 4 + 5000 // 3  # a word of call data, and the stand-in's price


def test_create2_passes_salt_and_writes_the_address_on_success_only() -> None:
    successes = 0
    for salt in range(12):
        data = (0).to_bytes(16, "little") + salt.to_bytes(32, "big") + b"code"
        _, value, memory, host = run("ethereum.create2", 0, 48, 4, 16, 1032, data=data)
        assert host.events[0][2] == (0, salt)
        assert memory[:20] == (host.created if value == 0 else bytes(20))
        successes += value == 0
    assert 0 < successes < 12


def test_an_address_that_does_not_fit_fails_behind_the_creation() -> None:
    for salt in range(12):
        data = (0).to_bytes(16, "little") + salt.to_bytes(32, "big") + b"code"
        _, value, _, _ = run("ethereum.create2", 0, 48, 4, 16, 1032, data=data)
        result, _, _, host = run("ethereum.create2", 0, 48, 4, 16, PAGE - 19, data=data)
        assert result.is_success is (value != 0)
        assert host.events


def test_finish_and_revert_hand_over_memory() -> None:
    assert run("ethereum.finish", 0, 4, data=b"abcd")[0].output == b"abcd"
    result = run("ethereum.revert", 0, 4, data=b"abcd")[0]
    assert (result.status, result.output, result.gas_left) == (Status.REVERT, b"abcd", 10_000_000)
    for name in ("finish", "revert"):
        assert run(f"ethereum.{name}", PAGE, 0)[0].status is not Status.INVALID_MEMORY_ACCESS
        assert run(f"ethereum.{name}", PAGE, 1)[0].status is Status.INVALID_MEMORY_ACCESS
        assert run(f"ethereum.{name}", 2**32 - 1, 2)[0].status is Status.INVALID_MEMORY_ACCESS


@pytest.mark.parametrize(("exists", "gas"), [(True, 5_000), (False, 30_000)])
def test_self_destruct_2018(exists: bool, gas: int) -> None:
    host = FakeHost(balances={OTHER: 0} if exists else {})
    result, _, _, used = run("ethereum.selfDestruct", 0, data=OTHER, rules=RULES_2018, host=host)
    assert (result.gas_used, result.output) == (gas, b"")
    assert used.events == [("selfdestruct", OWN, OTHER)]


def test_other_accounts() -> None:
    host = FakeHost(balances={OTHER: 2**128 - 1}, codes={OTHER: b"0123456789"})
    data = OTHER.ljust(32, b"\0")
    for rules, balance, size, copy in ((RULES_2018, 400, 700, 703), (RULES_2026, 100, 100, 100)):
        result, _, memory, _ = run("ethereum.getExternalBalance", 0, 1032, data=data, rules=rules, host=host)
        assert (memory[:16], result.gas_used) == (b"\xff" * 16, balance)
        result, value, _, _ = run("ethereum.getExternalCodeSize", 0, data=data, rules=rules, host=host)
        assert (value, result.gas_used) == (10, size)
        result, _, memory, _ = run("ethereum.externalCodeCopy", 0, 1032, 2, 3, data=data, rules=rules, host=host)
        assert (memory[:3], result.gas_used) == (b"234", copy)
        assert not run("ethereum.externalCodeCopy", 0, 1032, 8, 3, data=data, rules=rules, host=host)[0].is_success
        rich = FakeHost(balances={OTHER: 2**128})
        assert not run("ethereum.getExternalBalance", 0, 1032, data=data, rules=rules, host=rich)[0].is_success


def test_a_copy_larger_than_any_memory_fails_before_the_host_sees_it() -> None:
    host = FakeHost(codes={OTHER: b"0123456789"})
    data = OTHER.ljust(32, b"\0")
    big = message(gas=2**40)
    result, _, _, used = run("ethereum.externalCodeCopy", 0, 1032, 0, 2**32 - 1, data=data, host=host, request=big)
    assert (result.status, result.gas_left) == (Status.INVALID_MEMORY_ACCESS, 0)
    assert used.events == []


def test_block_hashes() -> None:
    for rules, gas in ((RULES_2018, 800), (RULES_2026, 100)):
        result, value, memory, host = run("ethereum.getBlockHash", 16, 1032, rules=rules)
        assert (value, memory, result.gas_used) == (0, host.get_block_hash(16), gas)
        for number in (17, -1, 2**62):
            assert run("ethereum.getBlockHash", number, 1032, rules=rules)[1:3] == (1, bytes(32))
