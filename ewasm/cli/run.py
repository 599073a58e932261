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
    from ewasm.host import Host
    from ewasm.message import Message, Result

__all__ = ["run"]

DEFAULT_GAS = 30_000_000
MAX_REPEATS = 1_000_000


@dataclass(slots=True)
class _Clock:
    """Nanoseconds of one repeat. Frames that the contract calls into are part of its run.

    Attributes:
        compile_ns: From bytes to something that can be instantiated: decoding, validation and gate included.
        instantiate_ns: Memory, globals, segments.
        run_ns: The entry point.
        depth: Frames running.
        since: When the step under way began.
    """

    compile_ns: int = 0
    instantiate_ns: int = 0
    run_ns: int = 0
    depth: int = 0
    since: int = field(default_factory=time.perf_counter_ns)

    def phase(self, name: str) -> None:
        """What `VM` calls."""
        now = time.perf_counter_ns()
        self.depth -= name == "ran"
        if self.depth == 0:
            setattr(self, _STEPS[name], now - self.since)
            self.since = now
        self.depth += name == "instantiated"


_STEPS = {"compiled": "compile_ns", "instantiated": "instantiate_ns", "ran": "run_ns"}


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
    from chain.stack import run_with_stack

    code = read_code(file)
    # Contracts may call each other, and themselves, a thousand deep.
    facts = run_with_stack(lambda: _run(code, rules, engine, calldata, value, gas, repeat))
    failed = facts["status"] != "SUCCESS"
    if not as_json:
        _show(facts)
    elif not failed:
        print_json(facts)
    if failed:
        raise Failure(f"{file}: {facts['status']}: {facts['error']}", facts)


def _run(code: bytes, rules: Rules, engine: str, call_data: bytes, value: int, gas: int, repeat: int) -> dict[str, Any]:
    from chain.forks import Fork
    from chain.once import run_once
    from ewasm.engine.cache import ArtifactCache
    from ewasm.vm import VM

    clock = _Clock()

    class TimedVM(VM):
        """Starts the clock when the contract's own frame starts."""

        def execute(self, host: Host, message: Message, code: bytes) -> Result:
            if clock.depth == 0:
                clock.since = time.perf_counter_ns()
            return super().execute(host, message, code)

    vm = TimedVM(rules, engine)
    fork = Fork.BYZANTIUM if rules.interface == 2018 else Fork.PRAGUE
    clocks = []
    for _ in range(repeat - 1):
        vm.phase = clock.phase
        run_once(vm, code, fork, call_data=call_data, value=value, gas=gas)
        clocks.append(clock)
        clock = _Clock()
        vm.cache = ArtifactCache()  # nothing compiled before is found again
    vm.phase = clock.phase
    outcome = run_once(vm, code, fork, call_data=call_data, value=value, gas=gas)
    clocks.append(clock)
    return {
        "status": outcome.status.value,
        "gas_used": outcome.gas_used,
        "gas_instructions": outcome.gas_instructions,
        "gas_eei": outcome.gas_eei,
        "output": outcome.output,
        "logs": [{"address": log.address, "topics": list(log.topics), "data": log.data} for log in outcome.logs],
        "error": outcome.error,
        "engine": engine,
        "rules": rules.name,
        "schedule": rules.schedule.name,
        "compile_ns": [c.compile_ns for c in clocks],
        "instantiate_ns": [c.instantiate_ns for c in clocks],
        "run_ns": [c.run_ns for c in clocks],
    }


def _show(facts: dict[str, Any]) -> None:
    out = console()
    colour = "green" if facts["status"] == "SUCCESS" else "red"
    out.print(f"[{colour}]{facts['status']}[/{colour}] ({facts['engine']}, {facts['rules']})")
    parts = f"{facts['gas_instructions']:,} instructions + {facts['gas_eei']:,} host functions"
    out.print(f"gas      {facts['gas_used']:,} = {parts}")
    out.print(f"output   0x{facts['output'].hex()}", markup=False)
    for log in facts["logs"]:
        topics = " ".join("0x" + topic.hex() for topic in log["topics"])
        out.print(f"log      {topics} data 0x{log['data'].hex()}", markup=False)
    best = {name: min(facts[f"{name}_ns"]) / 1e6 for name in ("compile", "instantiate", "run")}
    label = "time" if len(facts["run_ns"]) == 1 else f"best of {len(facts['run_ns'])}"
    out.print(f"{label:8} " + ", ".join(f"{name} {value:.3f} ms" for name, value in best.items()))
