//! What the counter of ../counter is upgraded to: the same storage, steps of any size, and a version.
//!
//! abi: function number() view returns (uint256)
//! abi: function increment()
//! abi: function incrementBy(uint256 step)
//! abi: function version() pure returns (uint8)
const ewasm = @import("ewasm");

const stored = ewasm.Slot(u256).at(0);

fn number() u256 {
    return stored.get();
}

fn increment() void {
    incrementBy(1);
}

fn incrementBy(step: u256) void {
    const next = @addWithOverflow(stored.get(), step);
    if (next[1] != 0) ewasm.revert("the counter is full");
    stored.set(next[0]);
}

fn version() u8 {
    return 2;
}

export fn main() void {
    ewasm.refuseValue();
    ewasm.dispatch(.{
        .{ "number()", number },
        .{ "increment()", increment },
        .{ "incrementBy(uint256)", incrementBy },
        .{ "version()", version },
    });
    ewasm.revertEmpty();
}
