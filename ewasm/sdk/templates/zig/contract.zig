//! A counter that says when it changes. Storage: slot 0 the number.
const ewasm = @import("ewasm");

const stored = ewasm.Slot(u256).at(0);

fn number() u256 {
    return stored.get();
}

fn setNumber(value: u256) void {
    stored.set(value);
    ewasm.emit("NumberChanged(address,uint256)", .{ewasm.caller()}, .{value});
}

fn increment() void {
    const next = stored.get() +% 1;
    if (next == 0) ewasm.revert("the counter is full");
    setNumber(next);
}

fn init(start: u256) void {
    stored.set(start);
}

/// The constructor: its arguments are call data.
export fn deploy() void {
    ewasm.refuseValue();
    ewasm.construct(init);
}

/// Every call.
export fn main() void {
    ewasm.refuseValue();
    ewasm.dispatch(.{
        .{ "number()", number },
        .{ "increment()", increment },
        .{ "setNumber(uint256)", setNumber },
    });
    ewasm.revertEmpty();
}
