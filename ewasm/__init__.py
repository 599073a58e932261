"""Ewasm: a smart-contract VM that runs WebAssembly, as a function of (rules, host, message, code).

Start reading at `ewasm.vm`, then follow the data: `wasm` (bytes to a valid module, the core specification and nothing
of Ethereum), `contract` (the contract interface), `metering` (gas into the module), `eei` (what a contract can ask of
its host), `engine` (two ways to run it), `cli` (the command).

Nothing here imports `chain` or py-evm, except that the command line reaches the node for the commands that need one.
"""

__version__ = "0.1.0"
