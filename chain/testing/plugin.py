"""The pytest plug-in: fixtures `chain`, `accounts`, `deploy`, `w3`, `eth_tester`, `snapshot`, `gas`; `--gas-snapshot`.

Loaded in every project that has this package installed, so it imports pytest alone and does nothing until a test asks
for a fixture. The chain starts with the first such test and serves all of the session; see `isolation` for what a test
finds.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chain.testing.isolation import Isolation
    from chain.testing.local import LocalChain

__all__: list[str] = []

EXTRA = "pip install 'ewasm[testing]'"
FILE = ".gas-snapshot"
_PROPERTY = "ewasm_gas"
_OPEN: pytest.StashKey[Isolation] = pytest.StashKey()
_MEASURED: pytest.StashKey[_Measurements] = pytest.StashKey()
_VERDICT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ewasm", "contracts on Ewasm")
    group.addoption("--gas-snapshot", action="store_true", help=f"Fail where a test's gas is not what {FILE} says.")
    group.addoption(
        "--gas-snapshot-update", action="store_true", help=f"Write the gas of the tests that run to {FILE}."
    )
    group.addoption(
        "--gas-snapshot-tolerance",
        type=float,
        default=0.0,
        metavar="PERCENT",
        help="How far gas may be from what is stored. [default: 0]",
    )
    group.addoption("--gas-snapshot-file", metavar="FILE", help=f"In place of {FILE} in the root directory.")
    group.addoption("--ewasm-fork", metavar="NAME", help="Fork of the chain, in place of the ini file's.")
    group.addoption("--ewasm-engine", metavar="NAME", help="native, interpreter, cranelift or winch.")
    parser.addini("ewasm_fork", "Fork of the chain that tests run on.", default="Prague")
    parser.addini("ewasm_rules", "Rule set of the chain that tests run on.", default="EWASM_2026")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "no_gas_snapshot: leave the test out of --gas-snapshot, for gas that varies")
    if not (config.pluginmanager.hasplugin("syrupy") or config.pluginmanager.hasplugin("snapshottest")):
        config.pluginmanager.register(_SnapshotFixture(), "ewasm-snapshot")
    config.stash[_MEASURED] = _Measurements()
    config.pluginmanager.register(config.stash[_MEASURED], "ewasm-gas")
    if config.getoption("gas_snapshot_tolerance") < 0:
        raise pytest.UsageError("--gas-snapshot-tolerance: a percentage, 0 or more")


# -- fixtures ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chain(request: pytest.FixtureRequest) -> Generator[LocalChain]:
    """A local chain (`chain.testing.LocalChain`), as the test's other fixtures left it."""
    from chain.app import NodeOptions, StartError
    from chain.testing.isolation import Isolation
    from chain.testing.local import LocalChain

    config = request.config
    try:
        running = LocalChain(
            NodeOptions(
                fork=config.getoption("ewasm_fork") or config.getini("ewasm_fork"),
                rules=config.getini("ewasm_rules"),
                engine=config.getoption("ewasm_engine") or "native",
            )
        )
    except (StartError, ValueError, KeyError) as error:
        pytest.fail(f"the chain cannot start: {error}", pytrace=False)
    config.stash[_OPEN] = Isolation(running)
    with running:
        yield running
        del config.stash[_OPEN]


@pytest.fixture(scope="session")
def accounts(chain: LocalChain) -> tuple[str, ...]:
    """Addresses of ten unlocked accounts with 10,000 ether each."""
    return chain.accounts


@pytest.fixture(scope="session")
def deploy(chain: LocalChain) -> Callable[..., Any]:
    """`deploy("token.wasm", "Gold", "GLD", 1000)`: see `chain.testing.LocalChain.deploy`."""
    return chain.deploy


@pytest.fixture(scope="session")
def w3(chain: LocalChain) -> Any:
    """web3.py on the chain."""
    _need("web3", "the fixture w3")
    from chain.testing.provider import make_web3

    return make_web3(chain)


@pytest.fixture
def eth_tester(chain: LocalChain) -> Any:
    """An `EthereumTester` on the chain; `Web3(EthereumTesterProvider(eth_tester))` is a web3 on it."""
    _need("eth_tester", "the fixture eth_tester")
    from eth_tester import EthereumTester

    from chain.testing.backend import EwasmBackend

    tester = EthereumTester(EwasmBackend(chain))
    yield tester
    tester.backend.close()


@pytest.fixture
def gas(request: pytest.FixtureRequest) -> Callable[[str, Any], int]:
    """`gas("transfer", receipt)` puts a receipt's gas (or a number) into the gas snapshot under a name."""

    def record(name: str, measured: Any) -> int:
        amount = int(getattr(measured, "gas_used", measured))
        request.node.user_properties.append((_PROPERTY, (f"{request.node.nodeid} {name}", amount)))
        return amount

    return record


class _SnapshotFixture:
    """Apart, because other plug-ins have a fixture of that name."""

    @pytest.fixture
    def snapshot(self, chain: LocalChain) -> Callable[[], AbstractContextManager[None]]:
        """`with snapshot(): ...`: what happens inside is undone at its end."""
        return chain.undone


def _need(module: str, what: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.fail(f"{what} needs {module}, which is not installed: {EXTRA}", pytrace=False)


# -- a chain for each test ---------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    opened = request.config.stash.get(_OPEN, None)
    if opened is None:
        return (yield)
    from chain.testing.isolation import Scope

    scope = Scope[fixturedef.scope.upper()]
    before = opened.mark()
    opened.enter(scope)
    result = yield
    opened.widened(scope, before)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    opened = item.config.stash.get(_OPEN, None)
    if opened is None:
        return (yield)
    from chain.testing.isolation import Scope

    opened.enter(Scope.FUNCTION)
    before = opened.chain.gas_mined
    result = yield
    used = opened.chain.gas_mined - before
    if used and item.get_closest_marker("no_gas_snapshot") is None:
        item.user_properties.append((_PROPERTY, (item.nodeid, used)))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    result = yield
    opened = item.config.stash.get(_OPEN, None)
    if opened is not None:
        opened.leave(_ended(item, nextitem))
    return result


def _ended(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    """The widest scope that ends between two tests."""
    from chain.testing.isolation import Scope

    for scope, kind in ((Scope.PACKAGE, pytest.Package), (Scope.MODULE, pytest.Module), (Scope.CLASS, pytest.Class)):
        here = item.getparent(kind)
        if here is not None and (nextitem is None or nextitem.getparent(kind) is not here):
            return scope
    return Scope.FUNCTION


# -- gas ---------------------------------------------------------------------------------------------------------


class _Measurements:
    """Gas by name, from the reports of this process; under pytest-xdist, where the workers' reports come together."""

    def __init__(self) -> None:
        self.gas: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for name, value in report.user_properties:
                if name == _PROPERTY and isinstance(value, (tuple, list)):
                    self.gas[str(value[0])] = int(value[1])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    update, check = config.getoption("gas_snapshot_update"), config.getoption("gas_snapshot")
    if hasattr(config, "workerinput") or not (update or check):
        return
    from chain.testing import gas_snapshot

    measured = config.stash[_MEASURED].gas
    path = Path(config.getoption("gas_snapshot_file") or config.rootpath / FILE)
    try:
        if update:
            stored = gas_snapshot.read(path) if path.exists() else {}
            gas_snapshot.write(path, {**stored, **measured})
            lines = [f"{len(measured)} measurements written to {path}"]
        else:
            stored = gas_snapshot.read(path)
            tolerance = config.getoption("gas_snapshot_tolerance")
            different = gas_snapshot.compare(stored, measured, tolerance)
            lines = gas_snapshot.format_table(different) if different else []
            lines.append(f"{len(different)} of {len(measured)} measurements differ from {path}")
            absent = len(stored.keys() - measured.keys())
            if absent:
                lines.append(f"{absent} stored measurements were not taken this time")
            if different:
                session.exitstatus = max(int(session.exitstatus), int(pytest.ExitCode.TESTS_FAILED))
    except (gas_snapshot.BadSnapshot, OSError) as error:
        lines = [f"error: {error}"]
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    config.stash[_VERDICT] = lines


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash.get(_VERDICT, [])
    if lines:
        terminalreporter.section("gas snapshot")
        for line in lines:
            terminalreporter.line(line)
