"""The eth-tester backend: eth-tester's own suite for backends, then web3.py's flows on contracts in Wasm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("eth_tester", reason="eth-tester is not installed")

from eth_tester import EthereumTester
from eth_tester.exceptions import BlockNotFound, TransactionFailed, ValidationError
from eth_tester.utils.backend_testing import BaseTestBackendDirect
from web3 import EthereumTesterProvider, Web3

from chain.app import NodeOptions
from chain.testing.backend import EwasmBackend
from chain.testing.contract import creation_data, read_artifact
from chain.testing.local import LocalChain
from contracts.build import FOLDER

# eth-tester's suite has the chain id of its default backend in signed transactions.
SUITE_CHAIN_ID = 131277322940537


@pytest.fixture(scope="module")
def suite_chain() -> Iterator[LocalChain]:
    with LocalChain(NodeOptions(chain_id=SUITE_CHAIN_ID)) as chain:
        yield chain


@pytest.fixture
def eth_tester(suite_chain: LocalChain) -> Iterator[EthereumTester]:
    kept = suite_chain.snapshot()
    backend = EwasmBackend(suite_chain)
    yield EthereumTester(backend)
    backend.close()
    if kept in suite_chain.node.snapshots:
        suite_chain.revert(kept)


class TestSuite(BaseTestBackendDirect):  # type: ignore[misc]
    """All of eth-tester's direct tests; three are restated, for they hold the default backend's numbers and errors."""

    def test_get_fee_history(self, eth_tester: EthereumTester) -> None:
        eth_tester.mine_blocks(3)
        history = eth_tester.get_fee_history(3, "latest", [])
        blocks = [eth_tester.get_block_by_number(number) for number in (1, 2, 3)]
        assert history["oldest_block"] == 1
        assert history["base_fee_per_gas"][:3] == [block["base_fee_per_gas"] for block in blocks]
        assert len(history["base_fee_per_gas"]) == 4
        assert history["gas_used_ratio"] == [0.0, 0.0, 0.0]
        assert history["reward"] == []

    @pytest.mark.parametrize(
        ("count", "block", "error"), [(1, None, BlockNotFound), (1, 99, BlockNotFound), (0, "latest", ValidationError)]
    )
    def test_get_fee_history_fails(
        self, eth_tester: EthereumTester, count: int, block: Any, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            eth_tester.get_fee_history(count, block, [])

    def test_send_raw_transaction_invalid_rlp_transaction(self, eth_tester: EthereumTester) -> None:
        with pytest.raises(ValidationError, match="type 0x12 is not supported"):
            eth_tester.send_raw_transaction("0x1234")

    def test_send_raw_transaction_invalid_raw_transaction(self, eth_tester: EthereumTester) -> None:
        with pytest.raises(ValidationError, match="cannot decode transaction"):
            eth_tester.send_raw_transaction("0xffff")


# -- web3.py -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tester_chain() -> Iterator[LocalChain]:
    with LocalChain() as chain:
        yield chain


@pytest.fixture
def web3(tester_chain: LocalChain) -> Iterator[Any]:
    with tester_chain.undone():
        backend = EwasmBackend(tester_chain)
        w3 = Web3(EthereumTesterProvider(EthereumTester(backend)))
        w3.eth.default_account = w3.eth.accounts[0]
        yield w3
        backend.close()


@pytest.fixture
def token(web3: Any) -> Any:
    artifact = read_artifact(FOLDER / "erc20/erc20.wasm", None)
    data = creation_data(artifact.code, artifact.abi.constructor.encode(["Gold", "GLD", 1_000]))
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction({"data": data}))
    assert receipt["status"] == 1
    assert web3.eth.get_code(receipt["contractAddress"]) == artifact.code
    return web3.eth.contract(address=receipt["contractAddress"], abi=artifact.abi.raw)


def test_call_transaction_and_event(web3: Any, token: Any) -> None:
    alice, bob = web3.eth.accounts[:2]
    assert token.functions.name().call() == "Gold"
    estimate = token.functions.transfer(bob, 250).estimate_gas()
    receipt = web3.eth.wait_for_transaction_receipt(token.functions.transfer(bob, 250).transact())
    assert receipt["gasUsed"] <= estimate
    [event] = token.events.Transfer().process_receipt(receipt)
    assert dict(event["args"]) == {"from": alice, "to": bob, "value": 250}
    [logged] = token.events.Transfer().get_logs(from_block=receipt["blockNumber"])
    assert logged["transactionHash"] == receipt["transactionHash"]
    assert token.functions.balanceOf(alice).call() == 750
    assert web3.eth.get_storage_at(token.address, 2) == (1_000).to_bytes(32, "big")


def test_revert_has_its_reason(web3: Any, token: Any) -> None:
    bob = web3.eth.accounts[1]
    with pytest.raises(TransactionFailed, match="execution reverted: ERC20: insufficient balance"):
        token.functions.transfer(bob, 1_001).call()
    with pytest.raises(TransactionFailed, match="ERC20: insufficient balance"):
        token.functions.transfer(bob, 1_001).transact()
    sent = token.functions.transfer(bob, 1_001).transact({"gas": 100_000})
    assert web3.eth.wait_for_transaction_receipt(sent)["status"] == 0
    assert token.functions.balanceOf(bob).call() == 0


def test_custom_error_comes_back_as_data(web3: Any) -> None:
    # EVM init code of a contract that reverts with the four bytes 0xc0ffee01 and 7.
    runtime = bytes.fromhex("63c0ffee0160e01b5f52600760045260245ffd")
    init = bytes.fromhex("601380600a5f395ff300") + runtime
    address = web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction({"data": init}))["contractAddress"]
    with pytest.raises(TransactionFailed, match="0xc0ffee01" + "00" * 31 + "07"):
        web3.eth.call({"to": address})


def test_time_travels_and_snapshots_go_back(web3: Any, token: Any) -> None:
    tester = web3.provider.ethereum_tester
    bob = web3.eth.accounts[1]
    before = web3.eth.get_block("latest")
    kept = tester.take_snapshot()
    for _ in range(2):
        tester.time_travel(before["timestamp"] + 10_000)
        tester.mine_block()
        assert web3.eth.get_block("latest")["timestamp"] == before["timestamp"] + 10_000
        token.functions.transfer(bob, 1).transact()
        assert token.functions.balanceOf(bob).call() == 1
        tester.revert_to_snapshot(kept)
        assert web3.eth.get_block("latest")["hash"] == before["hash"]
        assert token.functions.balanceOf(bob).call() == 0


def test_transactions_wait_where_mining_is_off(web3: Any, token: Any) -> None:
    tester = web3.provider.ethereum_tester
    tester.disable_auto_mine_transactions()
    sent = token.functions.transfer(web3.eth.accounts[1], 3).transact({"gas": 100_000})
    assert token.functions.balanceOf(web3.eth.accounts[1]).call() == 0
    tester.enable_auto_mine_transactions()
    assert web3.eth.get_transaction_receipt(sent)["status"] == 1
    assert token.functions.balanceOf(web3.eth.accounts[1]).call() == 3


def test_a_backend_of_its_own_ends_its_chain() -> None:
    backend = EwasmBackend()
    tester = EthereumTester(backend)
    assert len(tester.get_accounts()) == 10
    backend.close()


def test_whoever_shares_the_chain_mines_as_before(tester_chain: LocalChain) -> None:
    with tester_chain.undone():
        tester = EthereumTester(EwasmBackend(tester_chain))
        before = tester_chain.block_number
        tester_chain.send(tester_chain.accounts[1], value=1)
        assert tester_chain.block_number == before + 1
        tester.disable_auto_mine_transactions()
        alice, bob = tester.get_accounts()[:2]
        tester.send_transaction({"from": alice, "to": bob, "value": 1, "gas": 21_000})
        assert tester_chain.block_number == before + 1
