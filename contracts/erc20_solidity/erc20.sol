// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.20;

/// ERC-20 token: the one of contracts/erc20, in Solidity. The same source is built for the EVM and for WebAssembly.
contract Erc20 {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public totalSupply;
    string public name;
    string public symbol;

    uint8 public constant decimals = 18;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// The whole supply goes to the sender.
    constructor(string memory newName, string memory newSymbol, uint256 supply) {
        require(bytes(newName).length <= 1024 && bytes(newSymbol).length <= 1024, "ERC20: name or symbol too long");
        name = newName;
        symbol = newSymbol;
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    fallback() external {
        revert("ERC20: no such function");
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        move(msg.sender, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        require(spender != address(0), "ERC20: approve to the zero address");
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 left = allowance[from][msg.sender];
        // An allowance of 2^256 - 1 is never used up.
        if (left != type(uint256).max) {
            require(left >= amount, "ERC20: insufficient allowance");
            unchecked {
                allowance[from][msg.sender] = left - amount;
            }
        }
        move(from, to, amount);
        return true;
    }

    function move(address from, address to, uint256 amount) private {
        require(to != address(0), "ERC20: transfer to the zero address");
        uint256 held = balanceOf[from];
        require(held >= amount, "ERC20: insufficient balance");
        // No sum of balances passes the total supply, so nothing wraps.
        unchecked {
            balanceOf[from] = held - amount;
            balanceOf[to] += amount;
        }
        emit Transfer(from, to, amount);
    }
}
