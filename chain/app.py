"""`ewasm node`: from options to a node that answers, and down again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chain.accounts import DEFAULT_MNEMONIC, Account, checksum_address, derive_accounts
from chain.quickstart import defer_bls

if TYPE_CHECKING:
    from chain.genesis import Genesis
    from chain.node import Node
    from chain.rpc.dispatch import Method
    from chain.rpc.server import RpcServer
    from chain.store import Store

__all__ = ["NodeOptions", "StartError", "all_methods", "make_server", "open_node", "run_node", "serve"]

ETHER = 10**18

defer_bls()


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """How a node is run; the defaults are those of the command line.

    Attributes:
        port: 0 for any free port.
        fork: Name of a fork; ignored where a genesis file has its own schedule.
        rules: Name of a rule set of `ewasm.rules`.
        data_dir: Where the database is; None keeps the chain in memory.
        artifacts: Folder for compiled contracts; None keeps them in memory.
        balance_wei: Of each development account at genesis.
        gas_limit: Of a block.
        block_time_s: Mine at this interval; 0 mines each transaction before answering.
        mining: False takes transactions into the pool and mines only when told to.
        genesis: geth-style genesis file, in place of the development genesis.
        import_chain: File of RLP blocks to import before answering.
    """

    host: str = "127.0.0.1"
    port: int = 8545
    chain_id: int = 31337
    fork: str = "Prague"
    rules: str = "EWASM_2026"
    data_dir: Path | None = None
    artifacts: Path | None = None
    mnemonic: str = DEFAULT_MNEMONIC
    accounts: int = 10
    balance_wei: int = 10_000 * ETHER
    gas_limit: int = 30_000_000
    engine: str = "native"
    block_time_s: float = 0.0
    mining: bool = True
    genesis: Path | None = None
    import_chain: Path | None = None
    quiet: bool = False


class StartError(Exception):
    """The node cannot start; the text is one line for the user."""


def run_node(options: NodeOptions, out: Callable[[str], None] | None = None) -> None:
    """Run a node until SIGINT or SIGTERM.

    Args:
        options: What was asked for.
        out: Takes lines of text; standard output unless given.

    Raises:
        StartError: It cannot start: busy port, unusable data directory, bad genesis, mnemonic or chain file.
    """
    write = out or _print
    _configure_logs()
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.run(serve(options, write))
        return
    asyncio.run(serve(options, write))


async def serve(options: NodeOptions, write: Callable[[str], None]) -> None:
    """As `run_node`, on a running event loop."""
    from chain.rpc.server import PortBusy

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    node = open_node(options)
    try:
        node.start()
        server = make_server(node, options.host, options.port)
        try:
            await server.start()
        except PortBusy as error:
            raise StartError(f"{error}; choose another with --port") from None
        if not options.quiet:
            write(banner(options, node))
        write(f"Listening on {server.url}")
        try:
            await stopped.wait()
        finally:
            await server.stop()
    finally:
        await asyncio.to_thread(node.stop)


def all_methods() -> dict[str, Method]:
    """Every method there is, by name."""
    from chain.rpc.dispatch import method_table
    from chain.rpc.methods_config import CONFIG_METHODS
    from chain.rpc.methods_debug import DEBUG_METHODS
    from chain.rpc.methods_dev import DEV_METHODS
    from chain.rpc.methods_ewasm import EWASM_METHODS
    from chain.rpc.methods_logs import LOG_METHODS
    from chain.rpc.methods_node import NODE_METHODS
    from chain.rpc.methods_otterscan import OTTERSCAN_METHODS
    from chain.rpc.methods_pool import POOL_METHODS
    from chain.rpc.methods_read import READ_METHODS
    from chain.rpc.methods_send import SEND_METHODS
    from chain.rpc.methods_simulate import SIMULATE_METHODS
    from chain.rpc.methods_state import STATE_METHODS
    from chain.rpc.methods_testing import TESTING_METHODS
    from chain.rpc.methods_trace import TRACE_METHODS

    return method_table(
        READ_METHODS,
        SEND_METHODS,
        LOG_METHODS,
        DEBUG_METHODS,
        TRACE_METHODS,
        OTTERSCAN_METHODS,
        NODE_METHODS,
        POOL_METHODS,
        DEV_METHODS,
        EWASM_METHODS,
        SIMULATE_METHODS,
        STATE_METHODS,
        CONFIG_METHODS,
        TESTING_METHODS,
    )


def make_server(node: Node, host: str, port: int) -> RpcServer:
    """A server for every method."""
    from chain.rpc.dispatch import Dispatcher
    from chain.rpc.server import RpcServer

    return RpcServer(Dispatcher(node, all_methods()), node, host, port)


def open_node(options: NodeOptions) -> Node:
    """A node with its chain open and imported, not yet started.

    Raises:
        StartError: See `run_node`.
    """
    from chain.accounts import BadMnemonic
    from chain.blockchain import Blockchain, ChainConfig
    from chain.errors import ChainError
    from chain.node import Node
    from ewasm import __version__
    from ewasm.engine.store import UnusableFolder

    try:
        accounts = derive_accounts(options.mnemonic, options.accounts)
        genesis = _genesis(options, accounts)
        config = ChainConfig(rules=options.rules, engine=options.engine, artifacts=options.artifacts)
        store = _open_store(options.data_dir)
        try:
            chain = Blockchain.open(config, genesis, store)
            if options.import_chain is not None:
                chain.import_chain(_read(options.import_chain))
        except BaseException:
            store.close()
            raise
    except (ChainError, BadMnemonic, UnusableFolder) as error:
        raise StartError(str(error)) from None
    version = f"ewasm/v{__version__}/{sys.platform}/python{sys.version_info.major}.{sys.version_info.minor}"
    return Node(
        chain,
        accounts,
        automine=options.mining,
        block_time_s=options.block_time_s if options.mining else 0.0,
        client_version=version,
    )


def _genesis(options: NodeOptions, accounts: tuple[Account, ...]) -> Genesis:
    from chain.forks import parse_fork
    from chain.genesis import dev_genesis, load_genesis

    if options.genesis is not None:
        return load_genesis(options.genesis)
    return dev_genesis(
        chain_id=options.chain_id,
        fork=parse_fork(options.fork),
        balances={account.address: options.balance_wei for account in accounts},
        gas_limit=options.gas_limit,
    )


def _open_store(directory: Path | None) -> Store:
    from chain.store import MemoryStore, SqliteStore

    return MemoryStore() if directory is None else SqliteStore(directory)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"cannot read {path}: {error.strerror}") from None


def banner(options: NodeOptions, node: Node) -> str:
    """What the user sees first: accounts, keys, and how the chain is set up."""
    chain = node.chain
    lines = [node.client_version, ""]
    if node.accounts:
        lines.append("Accounts")
        for number, account in enumerate(node.accounts):
            lines.append(f"({number}) {checksum_address(account.address)}  0x{account.private_key.hex()}")
        lines += ["These keys are public knowledge: never send them anything of value.", ""]
        lines.append(f"Mnemonic  {' '.join(options.mnemonic.split())}")
    fork = chain.schedule.fork_at(chain.head.number + 1, chain.head.timestamp + 1)
    lines.append(f"Chain id  {node.chain_id}")
    lines.append(f"Fork      {fork.title}, contracts under {chain.rules.name} on {options.engine}")
    lines.append(f"Head      block {chain.head.number}")
    lines.append(f"Data      {options.data_dir or 'in memory'}")
    lines.append(f"Mining    {_mining(options)}")
    return "\n".join(lines) + "\n"


def _mining(options: NodeOptions) -> str:
    if not options.mining:
        return "only when told to"
    if options.block_time_s > 0:
        return f"every {options.block_time_s:g} s"
    return "at every transaction"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _configure_logs() -> None:
    """Warnings and worse, on standard error, so that standard output stays for the banner."""
    import logging

    import structlog

    # Plain tracebacks: the pretty ones print local variables, and those hold keys.
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
