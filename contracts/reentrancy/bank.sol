// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.20;

/// Keeps wei for everybody, and pays before it writes the payment down. Whoever is paid can therefore come in again, unless
/// the bank is guarded. Write first, as others do, and the guard is not needed. Built for both machines.
contract Bank {
    mapping(address => uint256) public balanceOf;
    bool public guarded;
    bool private locked;

    constructor(bool guard) {
        guarded = guard;
    }

    function deposit() external payable {
        // What comes in during a withdrawal would be written off with the rest.
        require(!guarded || !locked, "Bank: reentered");
        balanceOf[msg.sender] += msg.value;
    }

    function withdraw() external {
        require(!guarded || !locked, "Bank: reentered");
        locked = true;
        uint256 amount = balanceOf[msg.sender];
        require(amount > 0, "Bank: nothing there");
        (bool paid, ) = msg.sender.call{value: amount}("");
        require(paid, "Bank: not paid");
        balanceOf[msg.sender] = 0;
        locked = false;
    }
}
