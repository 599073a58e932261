"""`ewasm fuzz`: random contracts on every engine, looking for a difference."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ewasm.cli.output import Failure, json_option, print_json

if TYPE_CHECKING:
    from ewasm.message import Message
    from ewasm.rules import Rules

__all__ = ["fuzz"]

SCHEDULES = ("flat", "design", "EWASM_2026")
GAS = {"flat": 30_000, "design": 2_500, "EWASM_2026": 3_000}


@click.command()
@click.option("--cases", type=click.IntRange(1), default=1_000, show_default=True, help="How many contracts.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the first contract.")
@click.option("--engines", metavar="A,B,...", help="The first is the reference; all there are unless given.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("fixtures/regressions"),
    show_default=True,
    help="Folder for contracts that differ, made small, as WebAssembly text.",
)
@json_option
def fuzz(cases: int, seed: int, engines: str | None, out: Path, as_json: bool) -> None:
    """Make random contracts and compare what the engines see.

    Status, gas at every host call and at the end, output, logs, state operations and memory must agree, also with too
    little gas; and the injected metering of each contract must be provably exact. The last line is
    "N cases, D differences"; the exit code is 1 if there are any. A case is repeated by its seed.
    """
    from ewasm.fuzz.oracle import available_engines

    chosen = available_engines() if engines is None else tuple(engines.split(","))
    unknown = [name for name in chosen if name not in available_engines()]
    if unknown or len(chosen) < 2:
        there = ", ".join(available_engines())
        raise click.BadParameter(f"name two or more of {there}", param_hint="--engines")
    start = time.monotonic()
    found: list[dict[str, object]] = []
    outcomes: dict[str, int] = {}
    for number in range(seed, seed + cases):
        outcome, reasons = _case(number, chosen, out)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if reasons:
            found.append({"seed": number, "reasons": reasons})
            if not as_json:
                click.echo(f"seed {number}: {'; '.join(reasons)}")
    if as_json:
        print_json({"cases": cases, "differences": found, "outcomes": outcomes, "engines": list(chosen)})
    else:
        shown = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
        click.echo(f"{', '.join(chosen)}: {shown}; {cases / (time.monotonic() - start):.0f} cases a second")
        click.echo(f"{cases} cases, {len(found)} differences")
    if found:
        raise click.exceptions.Exit(1)


def _case(seed: int, engines: tuple[str, ...], out: Path) -> tuple[str, list[str]]:
    """One contract: how it ended on the reference engine, and what differed."""
    from ewasm.fuzz.generate import generate
    from ewasm.fuzz.oracle import observe
    from ewasm.fuzz.shrink import shrink
    from ewasm.fuzz.world import message
    from ewasm.metering.schedule import SCHEDULES as ALL
    from ewasm.rules import EWASM_2026

    rng = random.Random(seed)  # noqa: S311 - a case must be the same for the same seed
    name = SCHEDULES[seed % len(SCHEDULES)]
    rules = replace(EWASM_2026, schedule=ALL[name], namespaces=EWASM_2026.namespaces | {"debug"})
    code = generate(rng, rules, rng.choice((10, 40, 120)))
    gas = GAS[name] if rng.random() < 0.5 else rng.randrange(GAS[name])
    request = message(gas=gas, input_data=rng.randbytes(64))
    reasons = _compare(code, rules, request, engines)
    if reasons:
        small = shrink(code, lambda c: bool(_compare(c, rules, request, engines, refused=False)))
        _write(small, out / f"fuzz-{seed}.wat", f"{name}, {gas} gas: {'; '.join(reasons)}")
    return observe(code, engines[0], rules, request).result.status.value, reasons


def _compare(
    code: bytes, rules: Rules, request: Message, engines: tuple[str, ...], *, refused: bool = True
) -> list[str]:
    """Everything that is wrong with a case. A contract that the gate refuses is wrong only where `refused` says so."""
    from ewasm.contract import check
    from ewasm.engine.native import instrument_contract
    from ewasm.errors import ModuleError
    from ewasm.fuzz.oracle import differences
    from ewasm.metering.prove import Unproven, prove

    try:
        contract = check(code, rules)
    except ModuleError as error:
        return [f"the generator made what the gate refuses: {error}"] if refused else []
    metered = instrument_contract(contract, rules)
    try:
        prove(contract.valid, metered, rules.schedule, stack_height=rules.limits.stack_height)
    except Unproven as error:
        return [f"metering not proven: {error}"]
    try:
        return differences(code, rules, request, engines)
    except RuntimeError as error:
        return [f"fault: {error}"]


def _write(code: bytes, path: Path, reason: str) -> None:
    from ewasm.wasm.decode import decode
    from ewasm.wasm.text import disassemble

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f";; {reason}\n{disassemble(decode(code))}\n")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
