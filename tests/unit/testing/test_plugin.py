"""The pytest plug-in, by running pytest on small projects."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from contracts.build import FOLDER

pytest_plugins = "pytester"

TOKEN = FOLDER / "erc20/erc20.wasm"


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    plugin = [] if pytester._request.config.pluginmanager.hasplugin("ewasm") else ["-p", "chain.testing.plugin"]
    # The faulthandler of a run inside this process would take the signals of traps from Wasmtime when it ends.
    quiet = ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:faulthandler"]
    return pytester.runpytest_inprocess(*plugin, *quiet, *arguments)


def project(pytester: pytest.Pytester, text: str, name: str = "test_it") -> None:
    body = textwrap.dedent(text).replace("TOKEN", repr(str(TOKEN)))
    pytester.makepyfile(**{name: "import pytest\nfrom chain.testing import Reverted, reverts\n" + body})


def test_fixtures_work_together(pytester: pytest.Pytester) -> None:
    project(
        pytester,
        """
        @pytest.fixture
        def token(deploy):
            return deploy(TOKEN, "Gold", "GLD", 1000)

        def test_methods(token, accounts):
            receipt = token.transfer(accounts[1], 5)
            [event] = receipt.events
            assert (event.name, event["to"], event["value"]) == ("Transfer", accounts[1], 5)
            assert receipt.gas_used > 21_000
            assert token.balanceOf(accounts[1]) == 5
            assert token["balanceOf(address)"](accounts[1]) == 5
            assert token.call("transfer", accounts[1], 995) is True
            assert token.balanceOf(accounts[1]) == 5
            token.transferFrom
            with pytest.raises(AttributeError, match="no function burn"):
                token.burn

        def test_reverts(token, accounts, chain):
            with reverts("ERC20: insufficient balance"):
                token.transfer(accounts[1], 1001)
            with pytest.raises(Reverted, match="insufficient") as caught:
                token.transfer(accounts[1], 1001, gas=100_000)
            assert caught.value.reason == "ERC20: insufficient balance"
            assert chain.balance(accounts[1]) == 10_000 * 10**18
            with pytest.raises(AssertionError, match="got: execution reverted: ERC20"):
                with reverts("another"):
                    token.transfer(accounts[1], 1001)
            with pytest.raises(AssertionError, match="got none"), reverts():
                token.transfer(accounts[1], 1)

        def test_time_and_snapshots(token, accounts, chain, snapshot):
            before = chain.timestamp
            with snapshot():
                token.transfer(accounts[1], 1)
                chain.travel(1000)
                assert chain.timestamp == before + 1001 or chain.timestamp > before + 1000
            assert (token.balanceOf(accounts[1]), chain.timestamp) == (0, before)

        def test_web3(token, accounts, w3):
            contract = w3.eth.contract(address=token.address, abi=token.abi.raw)
            receipt = w3.eth.wait_for_transaction_receipt(contract.functions.transfer(accounts[1], 7).transact())
            assert receipt["status"] == 1
            assert contract.functions.balanceOf(accounts[1]).call() == 7

        def test_eth_tester(eth_tester, token, accounts):
            from web3 import EthereumTesterProvider, Web3
            w3 = Web3(EthereumTesterProvider(eth_tester))
            contract = w3.eth.contract(address=token.address, abi=token.abi.raw)
            contract.functions.transfer(accounts[1], 7).transact({"from": accounts[0]})
            assert contract.functions.balanceOf(accounts[1]).call() == 7
        """,
    )
    run(pytester, "-q").assert_outcomes(passed=5)


def test_each_test_finds_the_chain_as_its_fixtures_left_it(pytester: pytest.Pytester) -> None:
    for name in ("test_one", "test_two"):
        project(
            pytester,
            """
            @pytest.fixture(scope="module")
            def token(deploy):
                return deploy(TOKEN, "Gold", "GLD", 1000)

            @pytest.fixture
            def funded(token, accounts):
                token.transfer(accounts[1], 10)

            @pytest.mark.parametrize("run", range(3))
            def test_sees_nothing_of_the_others(run, token, accounts, chain):
                assert token.balanceOf(accounts[1]) == 0
                assert chain.block_number == 1
                token.transfer(accounts[1], 5)
                chain.travel(500)

            def test_sees_its_own_fixtures(funded, token, accounts, chain):
                assert token.balanceOf(accounts[1]) == 10
                assert chain.block_number == 2

            class TestClass:
                @pytest.fixture(scope="class", autouse=True)
                def more(self, token, accounts):
                    token.transfer(accounts[2], 20)

                def test_a(self, token, accounts, funded):
                    assert (token.balanceOf(accounts[1]), token.balanceOf(accounts[2])) == (10, 20)

                def test_b(self, token, accounts):
                    assert (token.balanceOf(accounts[1]), token.balanceOf(accounts[2])) == (0, 20)

            def test_class_is_gone(token, accounts):
                assert token.balanceOf(accounts[2]) == 0
            """,
            name,
        )
    run(pytester, "-q").assert_outcomes(passed=14)


def test_late_session_fixture_stays(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        f"""
        import pytest

        @pytest.fixture(scope="session")
        def late(deploy):
            return deploy({str(TOKEN)!r}, "Gold", "GLD", 1000)
        """
    )
    project(
        pytester,
        """
        @pytest.fixture(scope="module")
        def other(deploy):
            return deploy(TOKEN, "Other", "OTH", 1)

        def test_first(other, chain):
            assert chain.block_number == 1

        def test_second(other, late):
            assert late.totalSupply() == 1000
        """,
        "test_a",
    )
    project(pytester, "def test_third(late):\n    assert late.totalSupply() == 1000\n", "test_b")
    run(pytester, "-q").assert_outcomes(passed=3)


GAS = """
def test_transfer(deploy, accounts, gas):
    token = deploy(TOKEN, "Gold", "GLD", 1000)
    assert gas("transfer", token.transfer(accounts[1], AMOUNT)) > 21_000

def test_reads(deploy):
    pass

@pytest.mark.no_gas_snapshot
def test_varies(deploy):
    deploy(TOKEN, "Gold", "GLD", 7)
"""


def test_gas_snapshot(pytester: pytest.Pytester) -> None:
    file = pytester.path / ".gas-snapshot"
    project(pytester, GAS.replace("AMOUNT", "5"))
    missing = run(pytester, "--gas-snapshot")
    assert missing.ret == pytest.ExitCode.USAGE_ERROR
    missing.stdout.fnmatch_lines(["error: *No such file or directory; write it with --gas-snapshot-update"])
    assert run(pytester, "--gas-snapshot-update").ret == 0
    lines = file.read_text().splitlines()
    assert [line.split(" (gas: ")[0] for line in lines] == [
        "test_it.py::test_transfer",
        "test_it.py::test_transfer transfer",
    ]
    whole, transfer = (int(line.split(": ")[-1][:-1]) for line in lines)
    assert whole > transfer > 21_000
    same = run(pytester, "--gas-snapshot")
    assert same.ret == 0
    same.stdout.fnmatch_lines(["0 of 2 measurements differ from *"])

    file.write_text(f"test_it.py::test_transfer (gas: {whole * 2})\nother.py::test_gone (gas: 1)\n")
    different = run(pytester, "--gas-snapshot")
    assert different.ret == pytest.ExitCode.TESTS_FAILED
    different.stdout.fnmatch_lines(
        [
            "*stored*now*change*%*test",
            f"*{whole * 2:,}*{whole:,}*{-whole:,}*-50.00*test_it.py::test_transfer",
            f"*-*{transfer:,}*new*test_it.py::test_transfer transfer",
            "2 of 2 measurements differ from *",
            "1 stored measurements were not taken this time",
        ]
    )
    assert run(pytester, "--gas-snapshot", "--gas-snapshot-tolerance", "50", "-k", "none").ret == 5
    file.write_text(f"test_it.py::test_transfer (gas: {whole + 10})\ntest_it.py::test_transfer transfer (gas: 51000)\n")
    assert run(pytester, "--gas-snapshot", "--gas-snapshot-tolerance", "5").ret == 0
    file.write_text("nonsense\n")
    broken = run(pytester, "--gas-snapshot")
    assert broken.ret == pytest.ExitCode.USAGE_ERROR
    broken.stdout.fnmatch_lines(["error: *:1: not of the form NAME (gas: NUMBER): 'nonsense'"])


def test_gas_snapshot_takes_measurements_from_xdist(pytester: pytest.Pytester) -> None:
    file = pytester.path / ".gas-snapshot"
    project(pytester, GAS.replace("AMOUNT", "5"))
    assert run(pytester, "--gas-snapshot-update").ret == 0
    file.write_text(file.read_text().replace("(gas: 5", "(gas: 6"))
    result = run(pytester, "--gas-snapshot", "-n", "1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*-10,000*test_it.py::test_transfer transfer", "1 of 2 measurements differ from *"])


def test_update_keeps_what_was_not_run(pytester: pytest.Pytester) -> None:
    file = pytester.path / "gas.txt"
    file.write_text("other.py::test_other (gas: 7)\n")
    project(pytester, GAS.replace("AMOUNT", "5"))
    assert run(pytester, "--gas-snapshot-update", "--gas-snapshot-file", str(file)).ret == 0
    assert "other.py::test_other (gas: 7)\n" in file.read_text()
    assert file.read_text().count("\n") == 3


@pytest.mark.parametrize("module", ["web3", "eth_tester"])
def test_missing_packages_are_named(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, package=None: None if name == module else real(name, package)
    )
    fixture = {"web3": "w3", "eth_tester": "eth_tester"}[module]
    project(pytester, f"def test_it({fixture}):\n    pass\n\ndef test_other(chain):\n    pass\n")
    result = run(pytester)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"*{module}, which is not installed: pip install 'ewasm*testing*'"])


def test_unknown_fork_is_one_line(pytester: pytest.Pytester) -> None:
    project(pytester, "def test_it(chain):\n    pass\n")
    result = run(pytester, "--ewasm-fork", "Atlantis")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the chain cannot start: *Atlantis*"])
    assert "Traceback" not in result.stdout.str()


def test_fork_and_engine_are_chosen(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\newasm_fork = London\n")
    project(
        pytester,
        """
        def test_it(chain, deploy):
            block = chain.request("eth_getBlockByNumber", "latest", False)
            assert "baseFeePerGas" in block and "withdrawals" not in block
            assert chain.node.chain.config.engine == "interpreter"
            assert deploy(TOKEN, "Gold", "GLD", 1).totalSupply() == 1
        """,
    )
    run(pytester, "--ewasm-engine", "interpreter").assert_outcomes(passed=1)


def test_plugin_costs_other_projects_nothing(tmp_path: Path) -> None:
    """What is imported, in a process that runs a test without our fixtures."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = [m for m in sys.modules if m.split('.')[0] in ('ewasm', 'eth', 'web3', 'eth_tester', 'wasmtime')]\n"
        "    assert ours == []\n"
        "    chain = {m for m in sys.modules if m.split('.')[0] == 'chain'}\n"
        "    assert chain == {'chain', 'chain.testing', 'chain.testing.plugin'}, chain\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:hypothesispytest", "-p", "chain.testing.plugin"]
    environment = {"PYTHONPATH": str(FOLDER.parent), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
