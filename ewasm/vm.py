"""The VM: a function of (rules, host, message, code).

Reading starts here. `execute` runs a contract, `create` runs init code and says what to store; both put the code
through the contract gate (`ewasm.contract`), have an engine compile it (`ewasm.engine`), pay for the start of the
frame, run it, and turn however it ends into a `Result`. State is the host's business: on anything but success the
chain undoes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ewasm.contract import Contract, check, is_wasm, split_arguments
from ewasm.eei import Frame
from ewasm.engine.base import NO_MEMORY, Artifact, Engine, InliningEngine, RecallingEngine, make_engine
from ewasm.engine.cache import Activated, ArtifactCache
from ewasm.engine.collection import collection_paused
from ewasm.errors import (
    ContractValidationFailure,
    ExceptionalHalt,
    Finish,
    ForbiddenModule,
    MemoryExhausted,
    ModuleError,
    OutOfGas,
    Revert,
)
from ewasm.host import Host
from ewasm.message import Message, Result, Status
from ewasm.metering.schedule import PARTICLES_PER_GAS
from ewasm.rules import MAX_GAS, Rules
from ewasm.trace import Tracer

__all__ = ["VM", "is_wasm"]


class VM:
    """One rule set on one engine, with the artifacts it has made so far. Safe to use from several threads.

    Args:
        rules: Rule set.
        engine: Engine or its name.
        debug: Receiver of `debug.*` lines; contracts may import the module `debug` only if there is one.
        tracer: Receiver of trace events, or None.
        phase: Called with "compiled", "instantiated" and "ran" as a frame passes these points, for timing.
        observe_memory: Called with the frame's final memory before it is given back, for comparing engines.
    """

    def __init__(
        self,
        rules: Rules,
        engine: Engine | str = "native",
        *,
        debug: Callable[[str], None] | None = None,
        tracer: Tracer | None = None,
        phase: Callable[[str], None] | None = None,
        observe_memory: Callable[[bytes], None] | None = None,
    ) -> None:
        self.rules = rules if debug is None else replace(rules, namespaces=rules.namespaces | {"debug"})
        self.engine = make_engine(engine) if isinstance(engine, str) else engine
        if tracer is not None and isinstance(self.engine, InliningEngine):
            self.engine = self.engine.traced()
        self.debug = debug
        self.tracer = tracer
        self.phase = phase
        self.observe_memory = observe_memory
        self.cache = ArtifactCache()
        self.traced_cache = ArtifactCache()
        """For VMs that do what this one does under a tracer: on some engines they need other artifacts."""
        self._recall = self.engine.recall if isinstance(self.engine, RecallingEngine) else None

    def check(self, code: bytes) -> Contract:
        """Put code through the gate as if it were to be stored.

        Raises:
            ModuleError: It is refused.
        """
        self._check_size(code, "code_bytes")
        return self._activate(code).contract

    def execute(self, host: Host, message: Message, code: bytes) -> Result:
        """Run the `main` of a stored contract.

        The limit on code size was the creation's to hold: code that a genesis put there may be larger.
        """
        try:
            activated = self.cache.of_transaction(host.frames, code, self._new_entry)
        except ModuleError as error:
            return _failure(message, ContractValidationFailure(error))
        frame = self._frame(host, message, activated.contract, message.input_data)
        return self._run(frame, activated, "main")

    def create(self, host: Host, message: Message, init_code: bytes) -> Result:
        """Run init code; `output` of a success is the code to store (PROTOCOL section 1, Creation).

        A module that exports `deploy` is its own constructor: `deploy` runs with the payload of the last custom section
        `ewasm.args` as call data, and the module without that section is stored. Any other module's `main` runs with
        empty call data, and what it finishes with is stored; where that is a Wasm module, it must pass the gate.

        Activation is paid for by the byte: for the init code, and for code it returns. The deposit (200 gas a byte) is
        the chain's to charge. Nobody who cannot pay for the gate is let to it: it reads every byte.
        """
        try:
            self._check_size(init_code, "init_code_bytes")
            if message.gas < self.rules.activation_gas(init_code):
                return _failure(message, OutOfGas())
            activated = self._activate(init_code)
            contract = activated.contract
            stored, arguments = split_arguments(contract) if contract.has_deploy else (b"", b"")
            self._check_size(stored, "code_bytes")
        except ModuleError as error:
            return _failure(message, ContractValidationFailure(error))
        frame = self._frame(host, message, contract, arguments)
        entry = "deploy" if contract.has_deploy else "main"
        return self._run(frame, activated, entry, stored if contract.has_deploy else None)

    # -- one frame -----------------------------------------------------------------------------------------------

    def _activate(self, code: bytes) -> Activated:
        return self.cache.get(code, self._new_entry)

    def _new_entry(self, code: bytes) -> Activated:
        if self._recall is not None:
            known = self._recall(code, self.rules)
            if known is not None:
                return Activated(*known)
        limits = self.rules.limits
        with collection_paused():
            return Activated(check(code, self.rules, size_limit=max(limits.code_bytes, limits.init_code_bytes)))

    def _check_size(self, code: bytes, name: str) -> None:
        limit = getattr(self.rules.limits, name)
        if len(code) > limit:
            raise ForbiddenModule(f"code of {len(code)} bytes, limit {limit}", rule=f"limit:{name}")

    def _frame(self, host: Host, message: Message, contract: Contract, input_data: bytes) -> Frame:
        return Frame(
            rules=self.rules,
            host=host,
            message=message,
            code=contract.code,
            particles=min(message.gas, MAX_GAS) * PARTICLES_PER_GAS,
            input_data=input_data,
            memory=NO_MEMORY,
            prices=contract.schedule.host,
            tx=host.tx,
            debug=self.debug,
            tracer=self.tracer,
        )

    def _run(self, frame: Frame, activated: Activated, entry: str, stored: bytes | None = None) -> Result:
        """Run an entry point and make a `Result` of however it ends.

        Args:
            frame: New frame.
            activated: Its contract.
            entry: Entry point.
            stored: For a creation by `deploy`, the code to store.
        """
        if self.tracer is not None:
            self.tracer.frame_start(frame.message, frame.code)
        status, output, error = Status.SUCCESS, b"", None
        live = frame.host.frames
        self._find_room(frame, live)
        live.append(frame)
        try:
            try:
                self._pay_start(frame, activated.contract)
                output = self._run_entry(frame, activated, entry)
                if frame.message.is_create:
                    output = self._accept(frame, output) if stored is None else stored
            except Revert as end:
                status, output, error = Status.REVERT, end.output, "execution reverted"
        except ExceptionalHalt as halt:
            result = _failure(frame.message, halt, frame)
        else:
            result = _result(frame, status, output, error)
        finally:
            live.pop()
        if self.tracer is not None:
            self.tracer.frame_end(frame.message, result)
        return result

    def _run_entry(self, frame: Frame, activated: Activated, entry: str) -> bytes:
        instance = activated.ready(self._compile).instantiate(frame)
        try:
            self._note("instantiated")
            instance.run(entry)
            return b""
        except Finish as end:
            return end.output
        finally:
            self._note("ran")
            if self.observe_memory is not None:
                self.observe_memory(frame.memory.snapshot())
            instance.close()

    def _compile(self, contract: Contract) -> Artifact:
        artifact = self.engine.compile(contract, self.rules)
        self._note("compiled")
        return artifact

    def _note(self, phase: str) -> None:
        if self.phase is not None:
            self.phase(phase)

    def _pay_start(self, frame: Frame, contract: Contract) -> None:
        """Pay for initial memory, tables and active segments, and in a creation for activating the init code."""
        schedule = self.rules.schedule
        particles = (
            schedule.initial_page * contract.initial_pages
            + schedule.initial_byte * contract.initial_bytes
            + schedule.initial_entry * contract.initial_entries
        )
        if frame.message.is_create:
            particles += self.rules.activation_gas(frame.code) * PARTICLES_PER_GAS
        frame.pay(particles)
        if contract.initial_pages > frame.page_ceiling:
            raise MemoryExhausted

    def _find_room(self, frame: Frame, live: list[Frame]) -> None:
        """How far the frame's memory may grow beside what the live frames below it hold: they wait for it, so that
        does not change while it runs."""
        if live:
            frame.pages_below = live[-1].pages_held()
        limits = self.rules.limits
        frame.page_ceiling = min(limits.memory_pages, max(0, limits.live_pages - frame.pages_below))

    def _accept(self, frame: Frame, output: bytes) -> bytes:
        """Let init code's output be stored: activation and the gate, where it is a Wasm module."""
        if not is_wasm(output):
            return output
        try:
            self._check_size(output, "code_bytes")
            frame.pay(self.rules.activation_gas(output) * PARTICLES_PER_GAS)
            self.check(output)
        except ModuleError as error:
            raise ContractValidationFailure(error) from error
        return output


def _result(frame: Frame, status: Status, output: bytes, error: str | None) -> Result:
    reserve = frame.message.gas - min(frame.message.gas, MAX_GAS)
    gas_left = frame.gas_left + reserve
    return _split(frame.message, status, gas_left, output, error, frame)


def _failure(message: Message, halt: ExceptionalHalt, frame: Frame | None = None) -> Result:
    text = str(halt) or halt.status.value.lower().replace("_", " ")
    return _split(message, halt.status, 0, b"", text, frame)


def _split(
    message: Message, status: Status, gas_left: int, output: bytes, error: str | None, frame: Frame | None
) -> Result:
    gas_used = message.gas - gas_left
    gas_eei = min(frame.eei_particles // PARTICLES_PER_GAS, gas_used) if frame else 0
    return Result(
        status=status,
        gas_left=gas_left,
        output=output,
        gas_used=gas_used,
        gas_instructions=gas_used - gas_eei,
        gas_eei=gas_eei,
        gas_calls=min(frame.call_gas, gas_eei) if frame else 0,
        error=error,
    )
