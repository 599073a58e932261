// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.20;

/// A library with a code of its own: whoever uses it is linked to its address and runs it by delegate call.
library Root {
    function root(uint256 n) external pure returns (uint256 out) {
        unchecked {
            for (uint256 bit = 1 << 127; bit != 0; bit >>= 1) {
                uint256 next = out | bit;
                if (next * next <= n) out = next;
            }
        }
    }
}

/// Remembers the last root it was asked for.
contract Roots {
    uint256 public last;

    function rootOf(uint256 n) external returns (uint256) {
        last = Root.root(n);
        return last;
    }
}
