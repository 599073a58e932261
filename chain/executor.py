"""Wasm frames inside py-evm: the computation class of each fork, taught to recognise and run contracts in Wasm.

A frame whose code begins with the Wasm magic goes to `ewasm.vm.VM`; every other frame runs in py-evm as ever (or fails,
under rules that know no EVM). What a frame of ours did comes back as a py-evm computation: output, gas meter and error,
so that journal, refunds, logs and deletions are py-evm's in both cases. A trap is a `VMError` and fails its frame only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from eth.abc import ComputationAPI, MessageAPI, StateAPI, TransactionContextAPI
from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.forks.arrow_glacier import ArrowGlacierVM
from eth.vm.forks.berlin import BerlinVM
from eth.vm.forks.byzantium import ByzantiumVM
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.constantinople import ConstantinopleVM
from eth.vm.forks.frontier import FrontierVM
from eth.vm.forks.gray_glacier import GrayGlacierVM
from eth.vm.forks.homestead import HomesteadVM
from eth.vm.forks.istanbul import IstanbulVM
from eth.vm.forks.london import LondonVM
from eth.vm.forks.muir_glacier import MuirGlacierVM
from eth.vm.forks.paris import ParisVM
from eth.vm.forks.petersburg import PetersburgVM
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.shanghai import ShanghaiVM
from eth.vm.forks.spurious_dragon import SpuriousDragonVM
from eth.vm.forks.spurious_dragon.computation import SpuriousDragonComputation
from eth.vm.forks.tangerine_whistle import TangerineWhistleVM
from eth.vm.state import BaseState

from chain.deadline import check_deadline
from chain.forks import Fork
from chain.hardening import hardened_opcodes, hardened_precompiles, has_code_nonce_or_storage
from chain.host import EvmHost
from chain.stack import FRAMES_PER_THREAD, on_fresh_thread
from chain.state_db import StateDB
from ewasm.host import Host
from ewasm.message import Kind, Message, Result
from ewasm.rules import Rules

__all__ = ["GasSplit", "WasmFailure", "WasmMachine", "base_vm", "state_class"]

WASM_MAGIC = b"\x00asm"
MAX_EVM_INIT_CODE = 49_152
SYSTEM_ADDRESS = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
"""Sender of system calls. What they run is the protocol's own code, EVM code under every rule set."""


class WasmMachine(Protocol):
    """What the executor asks of `ewasm.vm.VM`."""

    rules: Rules

    def __hash__(self) -> int: ...

    def execute(self, host: Host, message: Message, code: bytes) -> Result: ...

    def create(self, host: Host, message: Message, init_code: bytes) -> Result: ...

    def check(self, code: bytes) -> object: ...


@dataclass(slots=True)
class GasSplit:
    """Where the gas of one transaction's Wasm frames went.

    Attributes:
        instructions: Whole gas for Wasm instructions, over all Wasm frames.
        eei: Whole gas for host functions, over all Wasm frames, without what contracts called from them used.
        frames: How many Wasm frames ran.
    """

    instructions: int = 0
    eei: int = 0
    frames: int = 0

    def add(self, result: Result) -> None:
        """Count one frame; gas that is gone because it failed counts as its instructions'."""
        self.instructions += result.gas_instructions
        self.eei += result.gas_eei - result.gas_calls
        self.frames += 1


class WasmFailure(VMError):
    """A Wasm frame failed with all its gas; `result` says how."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.error or result.status.value)
        self.result = result


class NotWasm(VMError):
    """Code without the Wasm magic was called under rules that know no EVM."""


class RefusedCode(VMError):
    """Code to be stored did not pass the gate."""


class EwasmComputation(SpuriousDragonComputation):
    """Placed before each fork's own computation class, which `super()` reaches.

    Class attributes `machine` and `fork` are set by `state_class`.
    """

    machine: ClassVar[WasmMachine]
    fork: ClassVar[Fork]
    result: Result | None = None

    @property
    def is_origin_computation(self) -> bool:
        """Whether this is the transaction's own frame.

        By depth, not by sender: an account that delegated its code (EIP-7702) is sender and origin of its children too;
        they would forget which contracts the transaction made (EIP-6780) and pay for init code twice.
        """
        return self.msg.depth == 0

    def add_child_computation(self, child_computation: ComputationAPI) -> None:
        """As the base, and let go of what nobody can ask for any more.

        Frames that are done stay in the tree until the transaction ends, for their logs and refunds. Their output does
        not: only the last child's can still be read, by its parent, which is not done itself. So what outputs hold is
        bounded by the frames that are live (`Limits.live_pages`), not by how many a block has gas for.
        """
        for done in (*self.children[-1:], *child_computation.children[-1:]):
            _forget_output(done)
        _forget_way(child_computation)
        child_computation.return_data = b""
        super().add_child_computation(child_computation)

    @classmethod
    def apply_computation(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None = None,
    ) -> ComputationAPI:
        if message.depth and message.depth % FRAMES_PER_THREAD == 0:
            return on_fresh_thread(lambda: cls._apply(state, message, transaction_context, parent_computation))
        return cls._apply(state, message, transaction_context, parent_computation)

    @classmethod
    def _apply(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None,
    ) -> ComputationAPI:
        check_deadline()
        code = message.code
        rules = cls.machine.rules
        is_wasm = code[:4] == WASM_MAGIC
        evm_allowed = rules.evm_allowed or not code or message.sender == SYSTEM_ADDRESS
        if (not is_wasm and evm_allowed) or message.code_address in cls._precompiles:
            computation = super().apply_computation(state, message, transaction_context, parent_computation)
            if message.is_create and computation.is_success and computation.output[:4] == WASM_MAGIC:
                # EVM code that creates a contract in Wasm pays for its activation as Wasm code does.
                with computation:
                    computation.consume_gas(rules.activation_gas(computation.output), reason="activation")
            return computation
        with cls(state, message, transaction_context) as computation:
            if parent_computation is None:
                computation.contracts_created = []
            else:
                computation.contracts_created = parent_computation.contracts_created
            if message.is_create:
                computation.contracts_created.append(message.storage_address)
            if not is_wasm:
                raise NotWasm("code is not a Wasm module")
            computation._run()  # type: ignore[attr-defined]
        return computation

    def _run(self) -> None:
        """Run the frame's code and leave its end in this computation."""
        msg = self.msg
        message = Message(
            kind=Kind.CREATE if msg.is_create else Kind.CALL,
            is_static=msg.is_static,
            depth=msg.depth,
            gas=self._gas_meter.gas_remaining,
            recipient=msg.storage_address,
            sender=msg.sender,
            input_data=b"" if msg.is_create else bytes(msg.data),
            value=msg.value,
            code_address=msg.code_address if not msg.is_create else msg.storage_address,
        )
        host = EvmHost(self, self.fork)
        run = self.machine.create if msg.is_create else self.machine.execute
        result = run(host, message, msg.code)
        self.result = result
        split: GasSplit = self.transaction_context.__dict__.setdefault("gas_split", GasSplit())
        split.add(result)
        self._gas_meter.gas_remaining = result.gas_left
        if result.is_success:
            self.output = result.output
        elif result.is_revert:
            self.output = result.output
            raise Revert(result.output)
        else:
            raise WasmFailure(result)

    def ether_moved(self, sender: bytes, recipient: bytes, value: int) -> None:
        """Nothing: where trials hear of ether that SELFDESTRUCT moves."""

    @classmethod
    def consume_initcode_gas_cost(cls, computation: ComputationAPI) -> None:
        """Nothing: EIP-3860's price of a transaction's init code is part of its intrinsic gas, in `transaction`."""

    @classmethod
    def validate_create_message(cls, message: MessageAPI) -> None:
        """Limits of init code: EIP-3860's for EVM code, the rules' own for Wasm."""
        size = len(message.code)
        if message.code[:4] == WASM_MAGIC:
            if size > cls.machine.rules.limits.init_code_bytes:
                raise OutOfGas(f"init code of {size} bytes is over the limit")
        elif cls.fork >= Fork.SHANGHAI and size > MAX_EVM_INIT_CODE:
            raise OutOfGas(f"init code of {size} bytes is over EIP-3860's limit")

    @classmethod
    def validate_contract_code(cls, contract_code: bytes) -> None:
        """What may be stored: EIP-170 and EIP-3541 for EVM code, limit and gate for Wasm, whoever returned it."""
        from ewasm.errors import ModuleError

        if contract_code[:4] != WASM_MAGIC:
            super().validate_contract_code(contract_code)
            return
        limit = cls.machine.rules.limits.code_bytes
        if len(contract_code) > limit:
            raise RefusedCode(f"code of {len(contract_code)} bytes is over the limit of {limit}")
        try:
            cls.machine.check(contract_code)
        except ModuleError as error:
            raise RefusedCode(str(error)) from error


def _forget_way(computation: Any) -> None:
    """Forget by which way a frame failed: a traceback holds every Python frame it went through, with all that they
    worked on, 20 of them and some 14 KB a frame of the transaction; and the collector walks through all of it."""
    error = computation._error
    if error is not None:
        error.__traceback__ = error.__context__ = error.__cause__ = None


def _forget_output(computation: Any) -> None:
    computation._output = b""
    computation.result = None
    if computation._error is not None:
        # A revert carries its data; that it was one is all that is left to know.
        computation._error.args = ()


BASE_VMS: dict[Fork, Any] = {
    Fork.FRONTIER: FrontierVM,
    Fork.HOMESTEAD: HomesteadVM,
    Fork.TANGERINE_WHISTLE: TangerineWhistleVM,
    Fork.SPURIOUS_DRAGON: SpuriousDragonVM,
    Fork.BYZANTIUM: ByzantiumVM,
    Fork.CONSTANTINOPLE: ConstantinopleVM,
    Fork.PETERSBURG: PetersburgVM,
    Fork.ISTANBUL: IstanbulVM,
    Fork.MUIR_GLACIER: MuirGlacierVM,
    Fork.BERLIN: BerlinVM,
    Fork.LONDON: LondonVM,
    Fork.ARROW_GLACIER: ArrowGlacierVM,
    Fork.GRAY_GLACIER: GrayGlacierVM,
    Fork.PARIS: ParisVM,
    Fork.SHANGHAI: ShanghaiVM,
    Fork.CANCUN: CancunVM,
    Fork.PRAGUE: PragueVM,
    Fork.OSAKA: PragueVM,
}


def base_vm(fork: Fork) -> Any:
    """py-evm's class of the fork, for its rewards and its difficulty rule."""
    return BASE_VMS[fork]


# Transient storage is journaled with all else, so Cancun's additions to these six fall away.
_TRANSIENT: dict[str, Any] = {
    "snapshot": BaseState.snapshot,
    "commit": BaseState.commit,
    "revert": BaseState.revert,
    "get_transient_storage": lambda self, address, slot: self._account_db.get_transient_storage(address, slot),
    "set_transient_storage": lambda self, address, slot, value: self._account_db.set_transient_storage(
        address, slot, value
    ),
    "clear_transient_storage": lambda self: self._account_db.clear_transient_storage(),
}


@lru_cache(maxsize=64)
def state_class(fork: Fork, machine: WasmMachine) -> type[BaseState]:
    """py-evm's state class of the fork, hardened, and running Wasm on `machine` from Byzantium on."""
    vm = BASE_VMS[fork]
    base_state: type[BaseState] = vm.get_state_class()
    base: Any = base_state.computation_class
    attributes = {
        "opcodes": hardened_opcodes(base.opcodes, fork),
        "_precompiles": hardened_precompiles(base.get_precompiles(), fork),
        "machine": machine,
        "fork": fork,
        # Looked up on the class itself: whoever derives from it to watch frames, or to change them, sees them all.
        "runs_unwatched": True,
    }
    bases = (EwasmComputation, base) if fork >= Fork.BYZANTIUM else (base,)
    computation = type(f"{fork.title}EwasmComputation", bases, attributes)
    return type(
        f"{fork.title}EwasmState",
        (base_state,),
        {
            **_TRANSIENT,
            "computation_class": computation,
            "account_db_class": StateDB,
            # The base sets system contracts whenever a state is opened, and in fact never; they belong to genesis.
            "set_system_contracts": lambda _self: None,
            "has_code_or_nonce": has_code_nonce_or_storage,
            "blob_base_fee": property(lambda self: self.execution_context.blob_base_fee),
        },
    )
