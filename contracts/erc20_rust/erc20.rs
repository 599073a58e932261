//! ERC-20 token, laid out in storage as contracts/erc20/erc20.c is.
#![no_std]
#![no_main]
use ewasm::{caller, construct, dispatch, emit, refuse_value, revert, Address, Bytes, Mapping, Slot, Text, U256};

const BALANCES: Mapping<Address, Slot<U256>> = Mapping::at(0);
const ALLOWANCES: Mapping<Address, Mapping<Address, Slot<U256>>> = Mapping::at(1);
const SUPPLY: Slot<U256> = Slot::at(2);
const NAME: Text = Text::at(3);
const SYMBOL: Text = Text::at(4);

const TEXT_LIMIT: u32 = 1024;

fn set_text(text: &Text, value: Bytes) {
    if value.length > TEXT_LIMIT {
        revert("ERC20: name or symbol too long")
    }
    text.set(value)
}

fn return_text(text: &Text) -> ! {
    text.finish(&mut [0; 64 + TEXT_LIMIT as usize])
}

fn shift(from: Address, to: Address, amount: U256) {
    if to.is_zero() {
        revert("ERC20: transfer to the zero address")
    }
    let source = BALANCES.of(from);
    match source.get().checked_sub(amount) {
        Some(left) => source.set(left),
        None => revert("ERC20: insufficient balance"),
    }
    // No sum of balances passes the total supply, so this cannot wrap.
    let target = BALANCES.of(to);
    target.set(target.get().wrapping_add(amount));
    emit!("Transfer(address,address,uint256)", [from, to], [amount]);
}

fn name() {
    return_text(&NAME)
}

fn symbol() {
    return_text(&SYMBOL)
}

fn decimals() -> u8 {
    18
}

fn total_supply() -> U256 {
    SUPPLY.get()
}

fn balance_of(owner: Address) -> U256 {
    BALANCES.get(owner)
}

fn allowance(owner: Address, spender: Address) -> U256 {
    ALLOWANCES.of(owner).get(spender)
}

fn transfer(to: Address, amount: U256) -> bool {
    shift(caller(), to, amount);
    true
}

fn approve(spender: Address, amount: U256) -> bool {
    if spender.is_zero() {
        revert("ERC20: approve to the zero address")
    }
    let owner = caller();
    ALLOWANCES.of(owner).set(spender, amount);
    emit!("Approval(address,address,uint256)", [owner, spender], [amount]);
    true
}

fn transfer_from(from: Address, to: Address, amount: U256) -> bool {
    let allowed = ALLOWANCES.of(from).of(caller());
    let left = allowed.get();
    // An allowance of 2^256 - 1 is never used up.
    if left != U256::MAX {
        match left.checked_sub(amount) {
            Some(rest) => allowed.set(rest),
            None => revert("ERC20: insufficient allowance"),
        }
    }
    shift(from, to, amount);
    true
}

/// The whole supply goes to the sender.
fn init(name: Bytes, symbol: Bytes, supply: U256) {
    set_text(&NAME, name);
    set_text(&SYMBOL, symbol);
    let owner = caller();
    SUPPLY.set(supply);
    BALANCES.set(owner, supply);
    emit!("Transfer(address,address,uint256)", [Address::ZERO, owner], [supply]);
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
        "name()" => name,
        "symbol()" => symbol,
        "decimals()" => decimals,
        "totalSupply()" => total_supply,
        "balanceOf(address)" => balance_of,
        "allowance(address,address)" => allowance,
        "transfer(address,uint256)" => transfer,
        "approve(address,uint256)" => approve,
        "transferFrom(address,address,uint256)" => transfer_from,
    }
    revert("ERC20: no such function")
}
