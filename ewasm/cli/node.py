"""`ewasm node`: the local testnet."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ewasm.cli.cache import ARTIFACTS
from ewasm.cli.options import engine_option, rules_option
from ewasm.cli.output import Failure
from ewasm.rules import EWASM_2018_FLAT, Rules

__all__ = ["node"]

TEST_MNEMONIC = "test test test test test test test test test test test junk"
UNITS = {"": 1, "wei": 1, "gwei": 10**9, "ether": 10**18, "eth": 10**18}


class _Amount(click.ParamType[int]):
    """Ether, as a number (`10000`, `0.5`) or with a unit (`3gwei`); wei inside."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        from decimal import Decimal

        match = re.fullmatch(r"(\d[\d_]*(?:\.\d+)?)\s*([a-z]*)", str(value).lower())
        if match is None or (match[2] or "ether") not in UNITS:
            self.fail(f"{value!r} is not an amount such as 10000, 0.5 or 3gwei", param, ctx)
        wei = Decimal(match[1].replace("_", "")) * UNITS[match[2] or "ether"]
        if wei != int(wei):
            self.fail(f"{value!r} is no whole number of wei", param, ctx)
        return int(wei)


def _fork(_ctx: click.Context, _param: click.Parameter, name: str | None) -> str | None:
    from chain.errors import InvalidGenesis
    from chain.forks import parse_fork

    if name is None:
        return None
    try:
        parse_fork(name)
    except InvalidGenesis as error:
        raise click.BadParameter(str(error)) from None
    return name


def _artifacts(data_dir: Path | None, cache_dir: Path | None, *, no_cache: bool) -> Path | None:
    """Where compiled contracts are kept; a chain in memory leaves nothing behind unless it is asked to."""
    if no_cache:
        return None
    return cache_dir if cache_dir is not None or data_dir is None else data_dir / ARTIFACTS


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8545, show_default=True, help="0 takes any free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--chain-id", type=click.IntRange(1, (1 << 53) - 1), default=31337, show_default=True)
@click.option(
    "--fork",
    callback=_fork,
    help="Byzantium, ..., Prague, Osaka.  [default: Prague, with --rules 2018 Byzantium]",
)
@rules_option
@click.option(
    "--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Keep the chain here; in memory unless given."
)
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep compiled contracts here.  [default: artifacts in the data directory]",
)
@click.option("--no-cache", is_flag=True, help="Keep compiled contracts in memory only.")
@click.option(
    "--mnemonic",
    default=TEST_MNEMONIC,
    metavar="PHRASE",
    help="Of the accounts; the well-known test phrase unless given.",
)
@click.option(
    "--mnemonic-random",
    type=click.Choice(["12", "15", "18", "21", "24"]),
    metavar="WORDS",
    help="Make up a phrase of so many words and show it.",
)
@click.option("--show-keys", is_flag=True, help="Show the keys of a phrase given with --mnemonic, too.")
@click.option(
    "--derivation-path",
    default="m/44'/60'/0'/0",
    show_default=True,
    metavar="PATH",
    help="Of the accounts, without their number.",
)
@click.option("--accounts", type=click.IntRange(0, 1_000), default=10, show_default=True, help="How many accounts.")
@click.option(
    "--balance", type=_Amount(), default="10000", show_default=True, help="Of each account, in ether (or 3gwei)."
)
@click.option(
    "--gas-limit", type=click.IntRange(21_000, (1 << 63) - 1), default=30_000_000, show_default=True, help="Of a block."
)
@engine_option
@click.option(
    "--unmetered",
    is_flag=True,
    help="With --rules 2018: instructions cost nothing, as its fixtures presume. An endless loop then never ends.",
)
@click.option(
    "--block-time",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="S",
    help="Mine every S seconds instead of at every transaction.",
)
@click.option("--mixed-mining", is_flag=True, help="With --block-time: mine at every transaction too.")
@click.option("--no-mining", is_flag=True, help="Mine only when told to.")
@click.option("--genesis", type=click.Path(path_type=Path), metavar="FILE", help="geth-style genesis file.")
@click.option(
    "--import", "import_chain", type=click.Path(path_type=Path), metavar="CHAIN.rlp", help="Import these blocks first."
)
@click.option(
    "--load-state", type=click.Path(path_type=Path), metavar="FILE", help="Begin with a chain dumped earlier."
)
@click.option("--dump-state", type=click.Path(path_type=Path), metavar="FILE", help="Dump the chain here at the end.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Load this file if it is there, and dump the chain into it at the end.",
)
@click.option("--json", "as_json", is_flag=True, help="Start-up facts and log lines as JSON, one object a line.")
@click.option("--metrics", is_flag=True, help="Serve /metrics for Prometheus.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Web page that may ask too, such as https://remix.ethereum.org, or '*' for all; may be given again. Pages of "
    "this machine and browser extensions always may.",
)
@click.option(
    "--client-version",
    metavar="TEXT",
    help="What web3_clientVersion says: Hardhat's network helpers want it to begin with anvil.",
)
@click.option("--quiet", is_flag=True, help="Say only where the node listens.")
def node(
    port: int,
    host: str,
    chain_id: int,
    fork: str | None,
    rules: Rules,
    data_dir: Path | None,
    cache_dir: Path | None,
    no_cache: bool,
    mnemonic: str,
    accounts: int,
    balance: int,
    gas_limit: int,
    engine: str,
    unmetered: bool,
    block_time: float,
    no_mining: bool,
    genesis: Path | None,
    import_chain: Path | None,
    quiet: bool,
    mnemonic_random: str | None,
    show_keys: bool,
    derivation_path: str,
    mixed_mining: bool,
    load_state: Path | None,
    dump_state: Path | None,
    state: Path | None,
    as_json: bool,
    metrics: bool,
    origins: tuple[str, ...],
    client_version: str | None,
) -> None:
    """Start a local Ethereum testnet that runs WebAssembly beside EVM contracts, in one state.

    JSON-RPC over HTTP and WebSocket on one port, ten funded accounts, a block for every transaction before it is
    answered. Ctrl-C ends it.
    """
    from chain.accounts import random_mnemonic
    from chain.app import NodeOptions, StartError, run_node

    original = rules.interface == 2018
    if unmetered and not original:
        raise click.BadParameter("goes with --rules 2018 only", param_hint="--unmetered")
    if original and not unmetered:
        rules = EWASM_2018_FLAT
    if mnemonic_random is not None:
        if mnemonic != TEST_MNEMONIC:
            raise click.BadParameter("not together with --mnemonic", param_hint="--mnemonic-random")
        mnemonic = random_mnemonic(int(mnemonic_random))
    if mixed_mining and (no_mining or not block_time):
        raise click.BadParameter("goes with --block-time only", param_hint="--mixed-mining")
    if state is not None and (load_state or dump_state):
        raise click.BadParameter("not together with --load-state or --dump-state", param_hint="--state")
    options = NodeOptions(
        host=host,
        port=port,
        chain_id=chain_id,
        fork=fork or ("Byzantium" if original else "Prague"),
        rules=rules.name,
        data_dir=data_dir,
        artifacts=_artifacts(data_dir, cache_dir, no_cache=no_cache),
        mnemonic=mnemonic,
        accounts=accounts,
        balance_wei=balance,
        gas_limit=gas_limit,
        engine=engine,
        block_time_s=block_time,
        mining=not no_mining,
        genesis=genesis,
        import_chain=import_chain,
        quiet=quiet,
        mixed=mixed_mining,
        path=derivation_path,
        load_state=load_state if state is None or not state.exists() else state,
        dump_state=dump_state or state,
        json=as_json,
        public_keys=show_keys or mnemonic_random is not None,
        metrics=metrics,
        origins=origins,
        client_version=client_version,
    )
    try:
        run_node(options)
    except StartError as error:
        raise Failure(str(error)) from None
