//! ERC-721: tokens that are one of a kind. Whoever deployed the contract mints. Storage as Solidity lays out
//!
//!     mapping(uint256 => address) owners;                          // slot 0
//!     mapping(address => uint256) balances;                        // slot 1
//!     mapping(uint256 => address) approved;                        // slot 2
//!     mapping(address => mapping(address => bool)) operators;      // slot 3
//!     string name; string symbol; address minter;                  // slots 4, 5, 6
//!
//! abi: constructor(string name, string symbol)
//! abi: function ownerOf(uint256 id) view returns (address)
//! abi: function balanceOf(address owner) view returns (uint256)
//! abi: function transferFrom(address from, address to, uint256 id)
//! abi: function safeTransferFrom(address from, address to, uint256 id)
//! abi: function safeTransferFrom(address from, address to, uint256 id, bytes data)
//! abi: function approve(address to, uint256 id)
//! abi: function setApprovalForAll(address operator, bool yes)
//! abi: function getApproved(uint256 id) view returns (address)
//! abi: function isApprovedForAll(address owner, address operator) view returns (bool)
//! abi: function mint(address to, uint256 id)
//! abi: function supportsInterface(bytes4 id) pure returns (bool)
//! abi: function name() view returns (string)
//! abi: function symbol() view returns (string)
//! abi: event Transfer(address indexed from, address indexed to, uint256 indexed id)
//! abi: event Approval(address indexed owner, address indexed to, uint256 indexed id)
//! abi: event ApprovalForAll(address indexed owner, address indexed operator, bool yes)
#![no_std]
#![no_main]
use ewasm::calls::returned_value;
use ewasm::eei::ethereum;
use ewasm::{
    call, caller, construct, dispatch, emit, refuse_value, revert, revert_empty, revert_returned, selector_of, Address,
    Bytes, Mapping, Outcome, Slot, Text, Value, Word, ALL_GAS, U256,
};

const OWNERS: Mapping<U256, Slot<Address>> = Mapping::at(0);
const BALANCES: Mapping<Address, Slot<U256>> = Mapping::at(1);
const APPROVED: Mapping<U256, Slot<Address>> = Mapping::at(2);
const OPERATORS: Mapping<Address, Mapping<Address, Slot<bool>>> = Mapping::at(3);
const NAME: Text = Text::at(4);
const SYMBOL: Text = Text::at(5);
const MINTER: Slot<Address> = Slot::at(6);

const TEXT_LIMIT: u32 = 256;
const DATA_LIMIT: usize = 4096;
const RECEIVED: u32 = selector_of("onERC721Received(address,address,uint256,bytes)");

fn owner_of(id: U256) -> Address {
    let owner = OWNERS.get(id);
    if owner.is_zero() {
        revert("ERC721: no such token")
    }
    owner
}

fn balance_of(owner: Address) -> U256 {
    if owner.is_zero() {
        revert("ERC721: balance of the zero address")
    }
    BALANCES.get(owner)
}

fn get_approved(id: U256) -> Address {
    owner_of(id);
    APPROVED.get(id)
}

fn is_approved_for_all(owner: Address, operator: Address) -> bool {
    OPERATORS.of(owner).get(operator)
}

fn approve(to: Address, id: U256) {
    let owner = owner_of(id);
    if caller() != owner && !is_approved_for_all(owner, caller()) {
        revert("ERC721: not the owner or an operator")
    }
    APPROVED.set(id, to);
    emit!("Approval(address,address,uint256)", [owner, to, id], []);
}

fn set_approval_for_all(operator: Address, yes: bool) {
    OPERATORS.of(caller()).set(operator, yes);
    emit!("ApprovalForAll(address,address,bool)", [caller(), operator], [yes]);
}

fn transfer_from(from: Address, to: Address, id: U256) {
    let owner = owner_of(id);
    if owner != from {
        revert("ERC721: not the owner's token")
    }
    if to.is_zero() {
        revert("ERC721: transfer to the zero address")
    }
    let me = caller();
    if me != owner && APPROVED.get(id) != me && !is_approved_for_all(owner, me) {
        revert("ERC721: not the owner or approved")
    }
    APPROVED.set(id, Address::ZERO);
    BALANCES.set(from, BALANCES.get(from) - U256::ONE);
    BALANCES.set(to, BALANCES.get(to) + U256::ONE);
    OWNERS.set(id, to);
    emit!("Transfer(address,address,uint256)", [from, to, id], []);
}

/// Ask a contract that is given a token whether it can do with one (EIP-721).
fn check_receiver(from: Address, to: Address, id: U256, data: Option<Bytes>) {
    if unsafe { ethereum::getExternalCodeSize(to.0.as_ptr()) } == 0 {
        return;
    }
    let length = data.map_or(0, |bytes| bytes.length as usize);
    if length > DATA_LIMIT {
        revert("ERC721: data too long")
    }
    let mut message = [0; 4 + 5 * 32 + DATA_LIMIT];
    message[..4].copy_from_slice(&RECEIVED.to_be_bytes());
    let words = [caller().to_word(), from.to_word(), id.to_word(), 128u64.to_word(), (length as u64).to_word()];
    for (place, word) in message[4..].chunks_exact_mut(32).zip(words) {
        place.copy_from_slice(&word.0);
    }
    if let Some(bytes) = data {
        bytes.read(&mut message[164..]);
    }
    if call(ALL_GAS, &to, 0, &message[..164 + length.next_multiple_of(32)]) != Outcome::Success {
        revert_returned()
    }
    let answer: Option<Word> = returned_value();
    if answer.map(|word| word.0[..4] == RECEIVED.to_be_bytes()) != Some(true) {
        revert("ERC721: the receiver refused")
    }
}

fn safe_transfer_from(from: Address, to: Address, id: U256) {
    transfer_from(from, to, id);
    check_receiver(from, to, id, None);
}

fn safe_transfer_from_with(from: Address, to: Address, id: U256, data: Bytes) {
    transfer_from(from, to, id);
    check_receiver(from, to, id, Some(data));
}

fn mint(to: Address, id: U256) {
    if caller() != MINTER.get() {
        revert("ERC721: not the minter")
    }
    if to.is_zero() {
        revert("ERC721: mint to the zero address")
    }
    if !OWNERS.get(id).is_zero() {
        revert("ERC721: there already")
    }
    OWNERS.set(id, to);
    BALANCES.set(to, BALANCES.get(to) + U256::ONE);
    emit!("Transfer(address,address,uint256)", [Address::ZERO, to, id], []);
}

/// ERC-165: itself and ERC-721.
fn supports_interface(id: Word) -> bool {
    id.0[..4] == [0x01, 0xff, 0xc9, 0xa7] || id.0[..4] == [0x80, 0xac, 0x58, 0xcd]
}

fn name() {
    NAME.finish(&mut [0; 64 + TEXT_LIMIT as usize])
}

fn symbol() {
    SYMBOL.finish(&mut [0; 64 + TEXT_LIMIT as usize])
}

fn init(name: Bytes, symbol: Bytes) {
    if name.length > TEXT_LIMIT || symbol.length > TEXT_LIMIT {
        revert("ERC721: name or symbol too long")
    }
    NAME.set(name);
    SYMBOL.set(symbol);
    MINTER.set(caller());
}

#[no_mangle]
extern "C" fn deploy() {
    refuse_value();
    construct!(init)
}

#[no_mangle]
extern "C" fn main() {
    refuse_value();
    dispatch! {
        "ownerOf(uint256)" => owner_of,
        "balanceOf(address)" => balance_of,
        "transferFrom(address,address,uint256)" => transfer_from,
        "safeTransferFrom(address,address,uint256)" => safe_transfer_from,
        "safeTransferFrom(address,address,uint256,bytes)" => safe_transfer_from_with,
        "approve(address,uint256)" => approve,
        "setApprovalForAll(address,bool)" => set_approval_for_all,
        "getApproved(uint256)" => get_approved,
        "isApprovedForAll(address,address)" => is_approved_for_all,
        "mint(address,uint256)" => mint,
        "supportsInterface(bytes4)" => supports_interface,
        "name()" => name,
        "symbol()" => symbol,
    }
    revert_empty()
}
