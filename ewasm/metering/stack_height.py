"""The static stack-height rule (PROTOCOL section 3): deterministic call depth on every engine.

The height of a frame is its parameters, locals and highest operand stack, in values, plus a constant for what an engine
keeps beside them. The sum over the live *counted* frames of one contract frame may not pass `limit`; the call that
would pass it fails the frame.

Counted are the functions inside a cycle of the static call graph, in which `call_indirect` reaches every function of
its type that the module takes a reference to. All other functions can be live at most once per path, so their longest
chain bounds what they add; they need no counter at run time. A module whose longest chain of uncounted functions would
itself pass `limit` has every function counted instead. So a contract frame never holds more than twice the limit.
"""

from __future__ import annotations

from ewasm.wasm import opcodes as op
from ewasm.wasm.module import ValidFunction, ValidModule
from ewasm.wasm.types import FuncType

__all__ = ["FRAME_VALUES", "counted_heights", "frame_height"]

FRAME_VALUES = 8
"""Return address, saved registers and alignment of one native frame, in values of 8 bytes, rounded up."""

_CALLS = (op.CALL, op.RETURN_CALL)
_INDIRECT_CALLS = (op.CALL_INDIRECT, op.RETURN_CALL_INDIRECT)


def frame_height(function: ValidFunction) -> int:
    """Values that one live frame of the function holds."""
    return len(function.local_types) + function.max_height + FRAME_VALUES


def counted_heights(valid: ValidModule, limit: int) -> tuple[int, ...]:
    """Height to add while each of the module's own functions is live; 0 for those that need no counter."""
    heights = [frame_height(f) for f in valid.functions]
    components = _components(_call_graph(valid))
    counted: list[int] = [0] * len(heights)
    # `components` comes callees first, so one pass gives the longest chain below each node.
    chain_below: dict[int, int] = {}
    longest = 0
    for nodes, successors, is_cycle in components:
        below = max((chain_below[s] for s in successors), default=0)
        own = 0
        for node in nodes:
            if node < len(heights):
                if is_cycle:
                    counted[node] = heights[node]
                else:
                    own = heights[node]
        for node in nodes:
            chain_below[node] = below + own
        longest = max(longest, below + own)
    return tuple(heights if longest > limit else counted)


def _referenced(valid: ValidModule) -> set[int]:
    """Functions (by index, imports included) that `ref.func` names anywhere."""
    module = valid.module
    expressions = [expr for element in module.elements for expr in element.init]
    expressions += [g.init for g in module.globals]
    expressions += [f.body for f in module.functions]
    return {i[1] for expr in expressions for i in expr if i[0] == op.REF_FUNC}


def _call_graph(valid: ValidModule) -> list[list[int]]:
    """Edges by node: own functions first, then one node for each function type that is called indirectly.

    A node for a type keeps the graph linear in the module's size.
    """
    module = valid.module
    imported, count = valid.imported_functions, len(module.functions)
    type_nodes: dict[FuncType, int] = {}
    edges: list[list[int]] = []
    for function in module.functions:
        callees: set[int] = set()
        for instruction in function.body:
            if instruction[0] in _CALLS:
                if instruction[1] >= imported:
                    callees.add(instruction[1] - imported)
            elif instruction[0] in _INDIRECT_CALLS:
                callees.add(type_nodes.setdefault(module.types[instruction[1]], count + len(type_nodes)))
        edges.append(sorted(callees))
    referenced = sorted(i for i in _referenced(valid) if i >= imported)
    of_type = ([i - imported for i in referenced if valid.function_types[i] == t] for t in type_nodes)
    return [*edges, *of_type]


def _components(edges: list[list[int]]) -> list[tuple[list[int], set[int], bool]]:
    """Strongly connected components by Tarjan's algorithm, iterative, callees before callers.

    Returns:
        For each component its nodes, the nodes outside it that it calls, and whether it holds a cycle.
    """
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    result: list[tuple[list[int], set[int], bool]] = []
    for root in range(len(edges)):
        if root in order:
            continue
        work = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                order[node] = low[node] = len(order)
                stack.append(node)
                on_stack.add(node)
            descended = False
            for i in range(position, len(edges[node])):
                callee = edges[node][i]
                if callee not in order:
                    work += [(node, i + 1), (callee, 0)]
                    descended = True
                    break
                if callee in on_stack:
                    low[node] = min(low[node], order[callee])
            if descended:
                continue
            if work:
                caller = work[-1][0]
                low[caller] = min(low[caller], low[node])
            if low[node] == order[node]:
                nodes = []
                while True:
                    member = stack.pop()
                    on_stack.discard(member)
                    nodes.append(member)
                    if member == node:
                        break
                inside = set(nodes)
                successors = {c for n in nodes for c in edges[n]} - inside
                result.append((nodes, successors, len(nodes) > 1 or node in edges[node]))
    return result
