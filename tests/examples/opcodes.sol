// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.20;

/// Every opcode that the two machines share, to be compared: what it returns on one is what it returns on the other.
contract Opcodes {
    mapping(uint256 => mapping(address => uint256)) private pairs;
    bytes private stored;
    uint256[] private list;

    event Nothing();
    event Four(uint256 indexed a, uint256 indexed b, bytes indexed c, string d);

    constructor(uint256 first) payable {
        list.push(first);
    }

    receive() external payable {}

    function arithmetic(uint256 a, uint256 b, uint256 m) external pure returns (uint256[20] memory out) {
        assembly {
            let at := out
            function put(p, v) -> n {
                mstore(p, v)
                n := add(p, 32)
            }
            at := put(at, add(a, b))
            at := put(at, sub(a, b))
            at := put(at, mul(a, b))
            at := put(at, div(a, b))
            at := put(at, sdiv(a, b))
            at := put(at, mod(a, b))
            at := put(at, smod(a, b))
            at := put(at, addmod(a, b, m))
            at := put(at, mulmod(a, b, m))
            at := put(at, exp(a, b))
            at := put(at, signextend(and(b, 63), a))
            at := put(at, byte(and(b, 63), a))
            at := put(at, shl(b, a))
            at := put(at, shr(b, a))
            at := put(at, sar(b, a))
            at := put(at, not(a))
            at := put(at, xor(a, b))
            at := put(at, or(and(a, b), m))
            at := put(at, or(shl(3, lt(a, b)), or(shl(2, gt(a, b)), or(shl(1, slt(a, b)), sgt(a, b)))))
            at := put(at, or(shl(1, eq(a, b)), iszero(a)))
        }
    }

    function message(bytes calldata data) external payable returns (address, address, uint256, uint256, bytes32, uint256, bytes memory) {
        return (msg.sender, tx.origin, msg.value, data.length, keccak256(data), block.chainid, msg.data);
    }

    function surroundings(address who) external view returns (uint256, uint256, uint256, uint256, uint256, uint256) {
        return (block.number, block.timestamp, block.gaslimit, tx.gasprice, who.balance, who.code.length);
    }

    function store(bytes calldata data) external returns (bytes memory) {
        stored = data;
        return stored;
    }

    function map(uint256 key, address who, uint256 value) external returns (uint256) {
        pairs[key][who] += value;
        list.push(value);
        return pairs[key][who] + list.length + list[0];
    }

    function hashes(string calldata text, uint256 n) external pure returns (bytes32, bytes32, bytes memory) {
        return (sha256(bytes(text)), keccak256(abi.encodePacked(text, n)), abi.encode(text, n, [n, n]));
    }

    function say(uint256 a, uint256 b, bytes calldata c, string calldata d) external {
        emit Nothing();
        emit Four(a, b, c, d);
    }

    function checked(uint8 a, int256 b, uint256[] calldata c) external pure returns (uint256 sum) {
        for (uint256 i = 0; i < c.length; i++) sum += c[i];
        sum /= a;
        require(b >= -5, string.concat("too low: ", sum > 9 ? "many" : "few"));
    }

    function ask(address who, bytes calldata data, uint256 kind) external payable returns (bool done, bytes memory answer) {
        if (kind == 0) (done, answer) = who.call{value: msg.value}(data);
        else if (kind == 1) (done, answer) = who.staticcall(data);
        else (done, answer) = who.delegatecall(data);
    }
}
