"""`ewasm run`: one contract, once or many times, on a state that holds nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.files import read_code
from ewasm.cli.options import HEX, INTEGER, engine_option, file_argument, rules_option, with_schedule
from ewasm.cli.output import Failure, console, json_option, print_json
from ewasm.rules import MAX_GAS, Rules

if TYPE_CHECKING:
    from ewasm.contract import Contract
    from ewasm.eei import Frame
    from ewasm.engine.base import Artifact, Engine, Instance

__all__ = ["run"]

DEFAULT_GAS = 30_000_000
MAX_REPEATS = 1_000_000


@dataclass(slots=True)
class _Times:
    """Nanoseconds of one repeat; frames below the first are part of its run."""

    compile_ns: int = 0
    instantiate_ns: int = 0
    run_ns: int = 0
    depth: int = 0


@dataclass(slots=True)
class _TimedEngine:
    """An engine that notes how long each step of another one takes."""

    inner: Engine
    times: _Times = field(default_factory=_Times)

    @property
    def name(self) -> str:
        return self.inner.name

    def compile(self, contract: Contract, rules: Rules) -> _TimedArtifact:
        start = time.perf_counter_ns()
        artifact = self.inner.compile(contract, rules)
        self.times.compile_ns += time.perf_counter_ns() - start
        return _TimedArtifact(self, artifact)


@dataclass(slots=True)
class _TimedArtifact:
    engine: _TimedEngine
    inner: Artifact

    def instantiate(self, frame: Frame) -> _TimedInstance:
        start = time.perf_counter_ns()
        instance = self.inner.instantiate(frame)
        times = self.engine.times
        if times.depth == 0:
            times.instantiate_ns += time.perf_counter_ns() - start
        return _TimedInstance(times, instance)


@dataclass(slots=True)
class _TimedInstance:
    times: _Times
    inner: Instance

    def run(self, entry: str) -> None:
        times = self.times
        times.depth += 1
        start = time.perf_counter_ns()
        try:
            self.inner.run(entry)
        finally:
            elapsed = time.perf_counter_ns() - start
            times.depth -= 1
            if times.depth == 0:
                times.run_ns += elapsed


@click.command()
@file_argument
@click.option("--calldata", type=HEX, default=b"", help="Call data in hexadecimal.")
@click.option("--value", type=INTEGER, default=0, help="Wei sent along.")
@click.option("--gas", type=INTEGER, default=DEFAULT_GAS, show_default=True, help="Whole gas the frame may use.")
@engine_option
@rules_option
@click.option(
    "--schedule", metavar="NAME", help="Gas schedule instead of the rules' own: off, flat, design, EWASM_2026."
)
@click.option("--unmetered", is_flag=True, help="The same as --schedule off: instructions are free and not counted.")
@click.option("--repeat", type=click.IntRange(1, MAX_REPEATS), default=1, help="Compile and run this many times.")
@json_option
def run(
    file: Path,
    calldata: bytes,
    value: int,
    gas: int,
    engine: str,
    rules: Rules,
    schedule: str | None,
    unmetered: bool,
    repeat: int,
    as_json: bool,
) -> None:
    """Run a contract's code on an empty state and show what it did and cost.

    FILE is runtime code: a module (.wasm, .wat), or EVM code (.bin). The exit code is 0 only if the contract succeeds.
    Times of compiling, instantiating and running are listed for every repeat with --json.
    """
    if unmetered and schedule not in (None, "off"):
        raise click.UsageError("--unmetered is --schedule off; say one of them")
    if gas > MAX_GAS:
        raise click.BadParameter(f"at most {MAX_GAS}", param_hint="--gas")
    if unmetered or schedule is not None:
        rules = with_schedule(rules, "off" if unmetered else str(schedule))
    facts = _run(read_code(file), rules, engine, calldata, value, gas, repeat)
    failure = None
    if facts["status"] != "SUCCESS":
        failure = Failure(f"{file}: {facts['status']}: {facts['error']}")
    if as_json:
        print_json(facts)
    else:
        _show(facts)
    if failure is not None:
        raise failure


def _run(
    code: bytes, rules: Rules, engine_name: str, call_data: bytes, value: int, gas: int, repeat: int
) -> dict[str, Any]:
    from chain.forks import Fork
    from chain.once import run_once
    from ewasm.engine.base import make_engine
    from ewasm.vm import VM

    engine = make_engine(engine_name)
    fork = Fork.BYZANTIUM if rules.interface == 2018 else Fork.PRAGUE
    times: list[_Times] = []
    outcome = None
    for _ in range(repeat):
        # A machine of its own each time: nothing compiled before is found again.
        timed = _TimedEngine(engine)
        outcome = run_once(VM(rules, engine=timed), code, fork, call_data=call_data, value=value, gas=gas)
        times.append(timed.times)
    if outcome is None:
        raise ValueError("repeat must be positive")
    return {
        "status": outcome.status.value,
        "gas_used": outcome.gas_used,
        "gas_instructions": outcome.gas_instructions,
        "gas_eei": outcome.gas_eei,
        "output": outcome.output,
        "logs": [{"address": log.address, "topics": list(log.topics), "data": log.data} for log in outcome.logs],
        "error": outcome.error,
        "engine": engine_name,
        "rules": rules.name,
        "schedule": rules.schedule.name,
        "compile_ns": [t.compile_ns for t in times],
        "instantiate_ns": [t.instantiate_ns for t in times],
        "run_ns": [t.run_ns for t in times],
    }


def _show(facts: dict[str, Any]) -> None:
    out = console()
    colour = "green" if facts["status"] == "SUCCESS" else "red"
    out.print(f"[{colour}]{facts['status']}[/{colour}] ({facts['engine']}, {facts['rules']})")
    out.print(
        f"gas      {facts['gas_used']:,} = {facts['gas_instructions']:,} instructions + {facts['gas_eei']:,} host functions"
    )
    out.print(f"output   0x{facts['output'].hex()}", markup=False)
    for log in facts["logs"]:
        topics = " ".join("0x" + topic.hex() for topic in log["topics"])
        out.print(f"log      {topics} data 0x{log['data'].hex()}", markup=False)
    best = {name: min(facts[f"{name}_ns"]) / 1e6 for name in ("compile", "instantiate", "run")}
    label = "time" if len(facts["run_ns"]) == 1 else f"best of {len(facts['run_ns'])}"
    out.print(f"{label:8} " + ", ".join(f"{name} {value:.3f} ms" for name, value in best.items()))
