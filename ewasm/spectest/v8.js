// The node side of ewasm/spectest/v8.py: instances of test scripts, which import from each other.
//
// A message is a u32 (little-endian) that counts the bytes behind it, and JSON. Each request has one answer. What Python
// cannot hold (functions, memories, instances' exports) stays here and has a number there.
"use strict";
const fs = require("node:fs");
const { Worker, isMainThread } = require("node:worker_threads");

// The main thread's stack has the size that the shell gave it; a worker's is ours to choose.
if (isMainThread) {
  const worker = new Worker(__filename, {
    argv: process.argv.slice(2),
    resourceLimits: { stackSizeMb: Number(process.argv[4]) },
  });
  worker.on("error", (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(70);
  });
} else {
  main();
}

function main() {
  const [requests, answers] = process.argv.slice(2, 4).map(Number);
  let things = [];
  let numbers = new Map();
  let externs = new Map();
  let counters = [];

  function number(thing) {
    if (!numbers.has(thing)) {
      numbers.set(thing, things.length);
      things.push(thing);
    }
    return numbers.get(thing);
  }

  // -- values: null, a string of digits, {extern: n} or {thing: n} ----------------------------------------------------

  function given(type, value) {
    if (value === null) return null;
    if (type === "i64") return BigInt(value);
    if (type === "i32") return Number(value);
    if (value.extern === undefined) return things[value.thing];
    if (!externs.has(value.extern)) externs.set(value.extern, { extern: value.extern });
    return externs.get(value.extern);
  }

  function shown(type, value) {
    if (value === null) return null;
    if (type === "i64") return BigInt.asUintN(64, value).toString();
    if (type === "i32") return (value >>> 0).toString();
    return value.extern === undefined ? { thing: number(value) } : { extern: value.extern };
  }

  // -- gas: each instrumented instance has its own counters -----------------------------------------------------------

  const left = () => counters.reduce((sum, [gas]) => sum + gas.value, 0n);

  // Why instrumented modules stopped; their counters start anew.
  function reasons(height) {
    const found = counters.reduce((why, [gas, stack]) => (stack.value < 0 ? "stack" : gas.value < 0n ? "gas" : why), "");
    for (const [, stack] of counters) stack.value = height;
    return found;
  }

  // -- requests ---------------------------------------------------------------------------------------------------------

  const actions = {
    forget() {
      [things, numbers, externs, counters] = [[], new Map(), new Map(), []];
      return {};
    },

    takes({ modules }) {
      return {
        takes: modules.map((module) => WebAssembly.validate(Buffer.from(module, "base64"))),
      };
    },

    host({ kind, type, initial, maximum, mutable, value }) {
      if (kind === "global") {
        return { thing: number(new WebAssembly.Global({ value: type, mutable }, type === "i64" ? BigInt(value) : value)) };
      }
      const limits = { initial, ...(maximum === null ? {} : { maximum }) };
      if (kind === "memory") return { thing: number(new WebAssembly.Memory(limits)) };
      return { thing: number(new WebAssembly.Table({ element: type, ...limits })) };
    },

    instantiate({ module, imports, counted }) {
      const compiled = new WebAssembly.Module(Buffer.from(module, "base64"));
      const space = {};
      WebAssembly.Module.imports(compiled).forEach((item, i) => {
        (space[item.module] ??= Object.create(null))[item.name] = things[imports[i]];
      });
      const { exports } = new WebAssembly.Instance(compiled, space);
      if (counted !== null) counters.push(counted.map((name) => exports[name]));
      // Pairs: a name may be anything, "__proto__" too.
      return { exports: Object.entries(exports).map(([name, thing]) => [name, number(thing)]) };
    },

    invoke({ thing, params, args, results }) {
      const before = left();
      const got = things[thing](...args.map((value, i) => given(params[i], value)));
      const values = results.length === 1 ? [got] : results.length === 0 ? [] : [...got];
      return { results: values.map((value, i) => shown(results[i], value)), used: (before - left()).toString() };
    },

    read({ thing, type }) {
      return { results: [shown(type, things[thing].value)] };
    },
  };

  function answer(request) {
    try {
      return actions[request.do](request);
    } catch (error) {
      return { error: `${error.name}: ${error.message}`, why: reasons(request.height ?? 0) };
    }
  }

  // -- messages ---------------------------------------------------------------------------------------------------------

  function read(size) {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; ) {
      const got = fs.readSync(requests, bytes, at, size - at);
      if (got === 0) process.exit(0);
      at += got;
    }
    return bytes;
  }

  for (;;) {
    const request = JSON.parse(read(read(4).readUInt32LE(0)).toString());
    const body = Buffer.from(JSON.stringify(answer(request)));
    const head = Buffer.alloc(4);
    head.writeUInt32LE(body.length);
    const bytes = Buffer.concat([head, body]);
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(answers, bytes, at);
    if (request.do === "forget" && globalThis.gc) globalThis.gc();
  }
}
