"""The assembler of the EVM examples; see `chain.evm_assembler`."""

from chain.evm_assembler import AssemblyError, assemble, init_code

__all__ = ["AssemblyError", "assemble", "init_code"]
