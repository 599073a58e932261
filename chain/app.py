"""`ewasm node`: from options to a node that answers, and down again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chain.accounts import DEFAULT_MNEMONIC, DEFAULT_PATH, Account, checksum_address, derive_accounts
from chain.quickstart import defer_curves, import_eth_utils, import_server_only, import_structlog

if TYPE_CHECKING:
    from chain.blockchain import Blockchain
    from chain.dump import Clocked
    from chain.genesis import Genesis
    from chain.node import Node
    from chain.records import BlockRecord
    from chain.rpc.dispatch import Method
    from chain.rpc.server import RpcServer
    from chain.store import Store

__all__ = ["NodeOptions", "StartError", "all_methods", "make_server", "open_node", "run_node", "serve"]

ETHER = 10**18

defer_curves()
import_structlog()


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
        mixed: With a block time, mine at every transaction too.
        path: BIP-32 path of the accounts, without their number.
        load_state: File of a dumped chain to begin with.
        dump_state: File that the chain is dumped into at the end.
        public_keys: Show the accounts' keys though the phrase is not the well-known one.
        json: Log lines and start-up facts as JSON, one object a line.
        metrics: Serve /metrics.
        origins: Web pages that may ask besides those of this machine and browser extensions; "*" for all.
        client_version: What web3_clientVersion says; None for name and version.
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
    mixed: bool = False
    path: str = DEFAULT_PATH
    load_state: Path | None = None
    dump_state: Path | None = None
    json: bool = False
    public_keys: bool = False
    metrics: bool = False
    origins: tuple[str, ...] = ()
    client_version: str | None = None


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
    # Importing makes a hundred thousand objects that stay: looking through them for garbage finds none.
    gc.disable()
    import_server_only()
    import_eth_utils()
    _configure_logs(options.json)
    try:
        with contextlib.suppress(ImportError):
            import uvloop

            uvloop.run(serve(options, write))
            return
        asyncio.run(serve(options, write))
    finally:
        gc.enable()


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
        server = make_server(node, options)
        gc.freeze()
        gc.enable()
        try:
            await server.start()
        except PortBusy as error:
            raise StartError(f"{error}; choose another with --port") from None
        if options.json:
            write(facts(options, node, server.url))
        else:
            if not options.quiet:
                write(banner(options, node))
            write(f"Listening on {server.url}")
        try:
            await stopped.wait()
        finally:
            await server.stop()
        if options.dump_state is not None:
            _write(options.dump_state, await asyncio.wrap_future(node.own(node.dump)))
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
    from chain.rpc.methods_tokens import TOKEN_METHODS
    from chain.rpc.methods_trace import TRACE_METHODS
    from chain.rpc.openrpc import DISCOVER, discover

    table = method_table(
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
        TOKEN_METHODS,
    )
    table[DISCOVER] = discover(dict(table))
    return table


def make_server(node: Node, options: NodeOptions) -> RpcServer:
    """A server for every method."""
    from chain.metrics import Metrics
    from chain.rpc.dispatch import Dispatcher
    from chain.rpc.server import RpcServer

    methods = all_methods()
    metrics = Metrics(frozenset(methods)) if options.metrics else None
    dispatcher = Dispatcher(node, methods, metrics=metrics)
    return RpcServer(dispatcher, node, options.host, options.port, origins=options.origins, metrics=metrics)


def open_node(options: NodeOptions) -> Node:
    """A node with its chain open and imported, not yet started.

    Raises:
        StartError: See `run_node`.
    """
    from chain.accounts import BadMnemonic
    from chain.blockchain import Blockchain, ChainConfig
    from chain.errors import ChainError
    from chain.hardening import kzg_setup
    from chain.node import Node
    from ewasm import __version__
    from ewasm.engine.store import UnusableFolder

    _check_dump_state(options.dump_state)
    try:
        accounts = derive_accounts(options.mnemonic, options.accounts, options.path)
        genesis = _genesis(options, accounts)
        config = ChainConfig(rules=options.rules, engine=options.engine, artifacts=options.artifacts)
        store = _open_store(options.data_dir)
        try:
            chain = Blockchain.open(config, genesis, store)
            if options.import_chain is not None:
                with _progress(options) as advance:
                    chain.import_chain(_read(options.import_chain), advance)
                if chain.head.header.blob_gas_used is not None:
                    # Its clients may send blobs: reading the setup while they wait takes longer than some do.
                    kzg_setup()
        except BaseException:
            store.close()
            raise
    except (ChainError, BadMnemonic, UnusableFolder) as error:
        raise StartError(str(error)) from None
    clock = None
    if options.load_state is not None:
        clock = _load(chain, options.load_state)
    version = f"ewasm/v{__version__}/{sys.platform}/python{sys.version_info.major}.{sys.version_info.minor}"
    node = Node(
        chain,
        accounts,
        automine=options.mining,
        block_time_s=options.block_time_s if options.mining else 0.0,
        mixed=options.mixed,
        client_version=options.client_version or version,
    )
    if clock is not None:
        node.clock.offset_s = max(clock.offset_s, node.clock.offset_s)
        node.clock.next_timestamp = clock.next_timestamp
    return node


def _load(chain: Blockchain, path: Path) -> Clocked:
    """Put a dumped chain in the place of what the store holds."""
    from chain.dump import BadDump, load_chain
    from chain.stack import run_with_stack

    raw = _read(path)
    try:
        return run_with_stack(lambda: load_chain(chain, raw))
    except BadDump as error:
        chain.close()
        raise StartError(f"cannot load {path}: {error}") from None


@contextlib.contextmanager
def _progress(options: NodeOptions) -> Iterator[Callable[[BlockRecord], None] | None]:
    """A bar on the terminal while blocks are imported; None where nobody would see it."""
    if options.quiet or options.json or not sys.stderr.isatty() or options.import_chain is None:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("importing", total=options.import_chain.stat().st_size)

        def advance(record: BlockRecord) -> None:
            bar.update(task, advance=record.size, description=f"block {record.number:,}")

        yield advance


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


def _check_dump_state(path: Path | None) -> None:
    """A dump that cannot be written would be found out when the chain is gone."""
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
        raise StartError(f"cannot write {path} at the end: {_obstacle(path)}")


def _obstacle(path: Path) -> str:
    if path.is_dir():
        return "it is a directory"
    return "its directory is not writable" if path.parent.is_dir() else "there is no such directory"


def _write(path: Path, raw: bytes) -> None:
    """Write a file in one step, so that a full disk leaves the old one."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_bytes(raw)
        draft.replace(path)
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror}") from None


def banner(options: NodeOptions, node: Node) -> str:
    """What the user sees first: accounts, keys, and how the chain is set up.

    Keys of a phrase that the user brought are not shown: it may guard something elsewhere.
    """
    chain = node.chain
    public = _is_public(options)
    lines = [node.client_version, ""]
    if node.accounts:
        lines.append("Accounts")
        for number, account in enumerate(node.accounts):
            balance = chain.state_at().balance(account.address) // ETHER
            key = f"  0x{account.private_key.hex()}" if public else ""
            lines.append(f"({number}) {checksum_address(account.address)}{key}  {balance:,} ETH")
        if public:
            lines += ["These keys are public knowledge: never send them anything of value.", ""]
            lines.append(f"Mnemonic  {' '.join(options.mnemonic.split())}")
        else:
            lines += ["The keys are those of your phrase, and are not shown.", ""]
        lines.append(f"Path      {options.path}/0 and on")
    head = chain.head
    fork = chain.schedule.fork_name_at(head.number + 1, head.timestamp + 1)
    base_fee = node.next_base_fee()
    lines.append(f"Chain id  {node.chain_id}")
    lines.append(f"Fork      {fork}, contracts under {chain.rules.name} on {options.engine}")
    lines.append(f"Gas       {head.header.gas_limit:,} a block" + (f", base fee {base_fee:,} wei" if base_fee else ""))
    lines.append(f"Head      block {head.number} 0x{head.hash.hex()}")
    lines.append(f"Data      {options.data_dir or 'in memory'}")
    lines.append(f"Mining    {_mining(options)}")
    return "\n".join(lines) + "\n"


def facts(options: NodeOptions, node: Node, url: str) -> str:
    """The banner as a line of JSON."""
    import orjson

    chain = node.chain
    public = _is_public(options)
    accounts = [
        {
            "address": checksum_address(account.address),
            "privateKey": "0x" + account.private_key.hex() if public else None,
        }
        for account in node.accounts
    ]
    head = chain.head
    return orjson.dumps(
        {
            "event": "listening",
            "url": url,
            "wsUrl": "ws" + url.removeprefix("http"),
            "clientVersion": node.client_version,
            "chainId": node.chain_id,
            "fork": chain.schedule.fork_name_at(head.number + 1, head.timestamp + 1),
            "rules": chain.rules.name,
            "engine": options.engine,
            "head": {"number": head.number, "hash": "0x" + head.hash.hex()},
            "dataDir": None if options.data_dir is None else str(options.data_dir),
            "mining": _mining(options),
            "mnemonic": " ".join(options.mnemonic.split()) if public else None,
            "accounts": accounts,
        }
    ).decode()


def _is_public(options: NodeOptions) -> bool:
    return options.public_keys or " ".join(options.mnemonic.split()) == DEFAULT_MNEMONIC


def _mining(options: NodeOptions) -> str:
    if not options.mining:
        return "only when told to"
    if options.block_time_s > 0:
        return f"every {options.block_time_s:g} s" + (" and at every transaction" if options.mixed else "")
    return "at every transaction"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _configure_logs(as_json: bool) -> None:
    """Warnings and worse, on standard error, so that standard output stays for the banner."""
    import logging

    import structlog

    # Plain tracebacks: the pretty ones print local variables, and those hold keys.
    last: list[structlog.types.Processor] = [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]
    if as_json:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
