"""web3.py, unchanged, against a node over HTTP and WebSocket: deploy, call, send, event, filter, revert reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from eth_account import Account
from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError
from web3.middleware import SignAndSendRawMiddlewareBuilder

from tests.node_process import ACCOUNTS, KEYS, NodeProcess, load_token


@pytest.fixture
def web3(node: NodeProcess) -> Any:
    return Web3(HTTPProvider(node.url))


def deploy(web3: Any, code: bytes) -> Any:
    abi = [item for item in load_token()[0] if item["type"] != "constructor"]
    factory = web3.eth.contract(abi=abi, bytecode=code)
    tx_hash = factory.constructor().transact({"from": web3.eth.accounts[0]})
    return factory(address=web3.eth.wait_for_transaction_receipt(tx_hash).contractAddress)


def test_session(web3: Any, token_code: bytes) -> None:
    assert web3.is_connected()
    assert web3.client_version.startswith("ewasm/")
    assert web3.eth.chain_id == 31337
    owner, other = web3.eth.accounts[:2]
    assert web3.from_wei(web3.eth.get_balance(owner), "ether") == 10_000
    token = deploy(web3, token_code)
    assert token.functions.symbol().call() == "GLD"
    assert token.functions.balanceOf(owner).call() == 1_000_000
    assert bytes(web3.eth.get_code(token.address))[:4] == b"\0asm"

    watch = token.events.Transfer.create_filter(from_block="latest")
    blocks = web3.eth.filter("latest")
    tx_hash = token.functions.transfer(other, 250).transact({"from": owner})
    receipt = web3.eth.get_transaction_receipt(tx_hash)
    assert receipt.status == 1
    event = token.events.Transfer().process_receipt(receipt)[0]
    assert dict(event.args) == {"from": owner, "to": other, "value": 250}
    assert [item.args.value for item in watch.get_new_entries()] == [250]
    assert watch.get_new_entries() == []
    assert blocks.get_new_entries() == [receipt.blockHash]
    assert len(token.events.Transfer().get_logs(from_block=0, argument_filters={"to": other})) == 1

    with pytest.raises(ContractLogicError, match="execution reverted: ERC20: insufficient balance"):
        token.functions.transfer(other, 10**18).call({"from": owner})
    with pytest.raises(ContractLogicError, match="ERC20: insufficient balance"):
        token.functions.transfer(other, 10**18).estimate_gas({"from": owner})
    failed = token.functions.transfer(other, 10**18).transact({"from": owner, "gas": 200_000})
    assert web3.eth.get_transaction_receipt(failed).status == 0
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction("0x" + "00" * 32)


def test_signing_middleware_sends_raw_transactions(web3: Any) -> None:
    account = Account.from_key(KEYS[1])
    web3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    before = web3.eth.get_balance(web3.to_checksum_address(ACCOUNTS[2]))
    params: Any = {"from": account.address, "to": web3.to_checksum_address(ACCOUNTS[2]), "value": 7}
    receipt = web3.eth.get_transaction_receipt(web3.eth.send_transaction(params))
    assert receipt.type == 2
    assert web3.eth.get_balance(web3.to_checksum_address(ACCOUNTS[2])) == before + 7


@pytest.mark.parametrize("kind", [0, 1, 2, 4])
def test_signed_transactions_of_each_type_have_a_receipt_at_once(node: NodeProcess, kind: int) -> None:
    web3: Any = Web3(HTTPProvider(node.url))
    account, target = Account.from_key(KEYS[0]), Web3.to_checksum_address(ACCOUNTS[2])
    fields: dict[str, Any] = {"chainId": 31337, "nonce": 0, "gas": 100_000, "to": target, "value": 1, "data": "0x"}
    if kind in (0, 1):
        fields["gasPrice"] = web3.eth.gas_price
    else:
        fields |= {"type": kind, "maxFeePerGas": 3 * 10**9, "maxPriorityFeePerGas": 10**9}
    if kind == 1:
        fields |= {"type": 1, "accessList": [{"address": target, "storageKeys": ["0x" + "01" * 32]}]}
    if kind == 4:
        authority = Account.from_key(KEYS[1])
        delegate = {"chainId": 31337, "address": "0x" + "07" * 20, "nonce": 0}
        fields["authorizationList"] = [authority.sign_authorization(delegate)]
    tx_hash = web3.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)
    receipt = web3.eth.get_transaction_receipt(tx_hash)
    assert (receipt.status, receipt.type) == (1, kind)
    transaction = web3.eth.get_transaction(tx_hash)
    assert transaction.value == 1
    if kind == 4:
        code = web3.eth.get_code(Web3.to_checksum_address(ACCOUNTS[1]))
        assert bytes(code) == b"\xef\x01\x00" + b"\x07" * 20


def test_refusals_carry_geths_words(node: NodeProcess) -> None:
    web3 = Web3(HTTPProvider(node.url))
    account, target = Account.from_key(KEYS[0]), Web3.to_checksum_address(ACCOUNTS[2])
    good: dict[str, Any] = {
        "chainId": 31337, "nonce": 0, "gas": 21_000, "to": target, "value": 1,
        "maxFeePerGas": 3 * 10**9, "maxPriorityFeePerGas": 10**9,
    }  # fmt: skip
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"chainId": 1}, "invalid chain id"),
        ({"gas": 20_999}, "intrinsic gas too low"),
        ({"gas": 30_000_001}, "exceeds block gas limit"),
        ({"value": 10**40}, "insufficient funds for gas"),
        ({"maxPriorityFeePerGas": 4 * 10**9}, "max priority fee per gas higher than max fee per gas"),
        ({"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}, "max fee per gas less than block base fee"),
    )
    for changes, words in cases:
        raw = account.sign_transaction({**good, **changes}).raw_transaction
        with pytest.raises(Web3RPCError, match=words):
            web3.eth.send_raw_transaction(raw)
    raw = account.sign_transaction(good).raw_transaction
    web3.eth.send_raw_transaction(raw)
    with pytest.raises(Web3RPCError, match="nonce too low"):
        web3.eth.send_raw_transaction(raw)
    assert web3.eth.block_number == 1


def test_session_over_websocket(node: NodeProcess, token_code: bytes) -> None:
    async def session() -> None:
        async with AsyncWeb3(WebSocketProvider(node.ws_url)) as web3:
            owner, other = (await web3.eth.accounts)[:2]
            abi = [item for item in load_token()[0] if item["type"] != "constructor"]
            factory = web3.eth.contract(abi=abi, bytecode=token_code)
            created = await factory.constructor().transact({"from": owner})
            receipt = await web3.eth.get_transaction_receipt(created)
            token: Any = factory(address=receipt["contractAddress"])
            assert await token.functions.balanceOf(owner).call() == 1_000_000
            with pytest.raises(ContractLogicError, match="execution reverted: ERC20: insufficient balance"):
                await token.functions.transfer(other, 10**18).call({"from": owner})

            heads = await web3.eth.subscribe("newHeads")
            logs = await web3.eth.subscribe("logs", {"address": token.address})
            elsewhere = await web3.eth.subscribe("logs", {"address": other})
            pending = await web3.eth.subscribe("newPendingTransactions")
            tx_hash = await token.functions.transfer(other, 5).transact({"from": owner})
            seen: dict[str, Any] = {}
            async with asyncio.timeout(60):
                async for message in web3.socket.process_subscriptions():
                    heard: Any = message
                    seen[heard["subscription"]] = heard["result"]
                    if len(seen) == 3:
                        break
            assert elsewhere not in seen
            assert bytes(seen[pending]) == bytes(tx_hash)
            assert bytes(seen[logs]["transactionHash"]) == bytes(tx_hash)
            assert seen[heads]["number"] == await web3.eth.block_number
            assert await web3.eth.unsubscribe(heads)

    asyncio.run(session())
