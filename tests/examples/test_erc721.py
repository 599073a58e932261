"""ERC-721 in Rust."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from contracts.world import ALICE, BOB, CAROL, World, artifact
from ewasm.initcode import with_arguments
from tests.examples.results import call_data, events, reason, topics

# Answers onERC721Received with its selector, or with zeros where the call data's last word is not zero.
RECEIVER = bytes.fromhex("63150b7a0260e01b5f5260205ff3")
REFUSING = bytes.fromhex("5f5f5260205ff3")


def _evm(runtime: bytes) -> bytes:
    """Init code that returns it."""
    return bytes.fromhex(f"60{len(runtime):02x}80600b5f395ff3").ljust(11, b"\0") + runtime


@pytest.fixture
def nft(world: World) -> bytes:
    code = with_arguments(artifact("erc721/erc721.wasm"), encode(["string", "string"], ["Deeds", "DEED"]))
    made = world.deploy(code)
    assert world.call(made, "mint(address,uint256)", BOB, 7).error is None
    return made


def test_names_and_interfaces(world: World, nft: bytes) -> None:
    assert world.read(nft, "name()(string)") == "Deeds"
    assert world.read(nft, "symbol()(string)") == "DEED"
    for interface, known in {"01ffc9a7": True, "80ac58cd": True, "ffffffff": False}.items():
        assert world.read(nft, "supportsInterface(bytes4)(bool)", bytes.fromhex(interface)) is known


def test_only_the_deployer_mints_and_each_token_once(world: World, nft: bytes) -> None:
    done = world.call(nft, "mint(address,uint256)", CAROL, 2**256 - 1)
    assert events(done) == [(nft, topics("Transfer(address,address,uint256)", 0, CAROL, 2**256 - 1), b"")]
    assert reason(world.call(nft, "mint(address,uint256)", CAROL, 7)) == "ERC721: there already"
    assert reason(world.call(nft, "mint(address,uint256)", bytes(20), 8)) == "ERC721: mint to the zero address"
    assert reason(world.call(nft, "mint(address,uint256)", BOB, 9, sender=BOB)) == "ERC721: not the minter"
    assert world.read(nft, "ownerOf(uint256)(address)", 7) == "0x" + BOB.hex()
    assert world.read(nft, "balanceOf(address)(uint256)", CAROL) == 1


def test_owner_moves_a_token(world: World, nft: bytes) -> None:
    done = world.call(nft, "transferFrom(address,address,uint256)", BOB, CAROL, 7, sender=BOB)
    assert events(done) == [(nft, topics("Transfer(address,address,uint256)", BOB, CAROL, 7), b"")]
    assert world.read(nft, "ownerOf(uint256)(address)", 7) == "0x" + CAROL.hex()
    assert [world.read(nft, "balanceOf(address)(uint256)", who) for who in (BOB, CAROL)] == [0, 1]


def test_approval_serves_once(world: World, nft: bytes) -> None:
    move = "transferFrom(address,address,uint256)"
    assert reason(world.call(nft, move, BOB, CAROL, 7, sender=CAROL)) == "ERC721: not the owner or approved"
    done = world.call(nft, "approve(address,uint256)", CAROL, 7, sender=BOB)
    assert events(done) == [(nft, topics("Approval(address,address,uint256)", BOB, CAROL, 7), b"")]
    assert world.read(nft, "getApproved(uint256)(address)", 7) == "0x" + CAROL.hex()
    assert world.call(nft, move, BOB, ALICE, 7, sender=CAROL).error is None
    assert world.read(nft, "getApproved(uint256)(address)", 7) == "0x" + bytes(20).hex()
    assert reason(world.call(nft, move, ALICE, CAROL, 7, sender=CAROL)) == "ERC721: not the owner or approved"


def test_operator_moves_everything(world: World, nft: bytes) -> None:
    done = world.call(nft, "setApprovalForAll(address,bool)", CAROL, True, sender=BOB)
    assert events(done) == [(nft, topics("ApprovalForAll(address,address,bool)", BOB, CAROL), (1).to_bytes(32, "big"))]
    assert world.read(nft, "isApprovedForAll(address,address)(bool)", BOB, CAROL) is True
    assert world.call(nft, "transferFrom(address,address,uint256)", BOB, CAROL, 7, sender=CAROL).error is None


def test_what_is_not_there_is_refused(world: World, nft: bytes) -> None:
    assert reason(world.call(nft, "ownerOf(uint256)", 8)) == "ERC721: no such token"
    assert reason(world.call(nft, "getApproved(uint256)", 8)) == "ERC721: no such token"
    assert reason(world.call(nft, "balanceOf(address)", bytes(20))) == "ERC721: balance of the zero address"
    move = "transferFrom(address,address,uint256)"
    assert reason(world.call(nft, move, ALICE, BOB, 7)) == "ERC721: not the owner's token"
    assert reason(world.call(nft, move, BOB, bytes(20), 7, sender=BOB)) == "ERC721: transfer to the zero address"
    assert reason(world.call(nft, "approve(address,uint256)", ALICE, 7)) == "ERC721: not the owner or an operator"
    assert world.send(nft, b"none").output == b""


@pytest.mark.parametrize("extra", [(), (b"",), (b"a note" * 20,)])
def test_safe_transfer_asks_a_contract(world: World, nft: bytes, extra: tuple[bytes, ...]) -> None:
    receiver, refusing = world.deploy(_evm(RECEIVER)), world.deploy(_evm(REFUSING))
    signature = "safeTransferFrom(address,address,uint256" + (",bytes)" if extra else ")")
    done = world.call(nft, signature, BOB, refusing, 7, *extra, sender=BOB)
    assert reason(done) == "ERC721: the receiver refused"
    assert world.read(nft, "ownerOf(uint256)(address)", 7) == "0x" + BOB.hex()
    assert world.call(nft, signature, BOB, receiver, 7, *extra, sender=BOB).error is None
    assert world.read(nft, "ownerOf(uint256)(address)", 7) == "0x" + receiver.hex()


def test_safe_transfer_gives_the_receiver_what_the_standard_says(world: World, nft: bytes) -> None:
    """A forwarder that is handed the message would pass it on; here its call data come back as a revert."""
    echo = world.deploy(_evm(bytes.fromhex("365f5f37365ffd")))
    done = world.call(nft, "safeTransferFrom(address,address,uint256,bytes)", BOB, echo, 7, b"n" * 33, sender=BOB)
    expected = call_data("onERC721Received(address,address,uint256,bytes)", BOB, BOB, 7, b"n" * 33)
    assert (done.reverted, done.output) == (True, expected)


def test_safe_transfer_to_a_person(world: World, nft: bytes) -> None:
    assert world.call(nft, "safeTransferFrom(address,address,uint256)", BOB, CAROL, 7, sender=BOB).error is None
    assert world.read(nft, "ownerOf(uint256)(address)", 7) == "0x" + CAROL.hex()
