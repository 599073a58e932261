// The node side of ewasm/fuzz/v8.py: compiles and runs instrumented modules, and asks Python for each host call.
//
// A message is a u32 (little-endian) that counts the bytes behind it, one byte that says what it is, and its fields.
// Each request has one answer. While a host call waits for its result, more requests may come: to read or write the
// memory, or to run another frame, so `serve` is entered again for each host call.
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
  const COMPILE = 1, INSTANTIATE = 2, RUN = 3, READ = 4, WRITE = 5, SNAPSHOT = 6, CLOSE = 7, RESULT = 8, ABORT = 9;
  const OK = 128, REFUSED = 129, DONE = 130, TRAP = 131, HOST_CALL = 132;
  const [requests, answers] = process.argv.slice(2, 4).map(Number);
  const WINDOW = 32;
  const COLLECT_EVERY = 64;
  const aborted = new Error("the host ended the frame");

  const modules = new Map();
  const instances = new Map();
  let nextId = 1;
  let closed = 0;

  // -- messages ------------------------------------------------------------------------------------------------

  let input = Buffer.alloc(1 << 16);
  let start = 0;
  let end = 0;

  function fill(wanted) {
    if (start + wanted > input.length) {
      const larger = wanted > input.length ? Buffer.alloc(2 * wanted) : input;
      input.copy(larger, 0, start, end);
      [input, end, start] = [larger, end - start, 0];
    }
    while (end - start < wanted) {
      const got = fs.readSync(requests, input, end, input.length - end);
      if (got === 0) process.exit(0);
      end += got;
    }
  }

  // The view is good until the next call.
  function receive() {
    fill(4);
    const length = input.readUInt32LE(start);
    fill(4 + length);
    const message = input.subarray(start + 4, start + 4 + length);
    start += 4 + length;
    return message;
  }

  function write(bytes) {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(answers, bytes, at);
  }

  function send(kind, ...parts) {
    const size = parts.reduce((sum, part) => sum + part.length, 1);
    const head = Buffer.alloc(5);
    head.writeUInt32LE(size, 0);
    head[4] = kind;
    write(Buffer.concat([head, ...parts]));
  }

  const u32 = (value) => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
  const i64 = (value) => { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt.asIntN(64, value)); return b; };

  // -- requests ------------------------------------------------------------------------------------------------

  // Returns the message that ends a host call; does not return at the outermost level.
  function serve() {
    for (;;) {
      const message = receive();
      switch (message[0]) {
        case COMPILE: compile(message); break;
        case INSTANTIATE: instantiate(message); break;
        case RUN: run(message); break;
        case READ: {
          const { memory } = instances.get(message.readUInt32LE(1));
          const offset = message.readUInt32LE(5);
          send(OK, new Uint8Array(memory.buffer, offset, message.readUInt32LE(9)));
          break;
        }
        case WRITE: writes(instances.get(message.readUInt32LE(1)).memory, message, 5); send(OK); break;
        case SNAPSHOT: send(OK, new Uint8Array(instances.get(message.readUInt32LE(1)).memory.buffer)); break;
        case CLOSE: close(message); break;
        default: return message;
      }
    }
  }

  // u32 count of modules to forget, their ids; u32 length of the signatures, JSON; the module
  function compile(message) {
    const forgotten = message.readUInt32LE(1);
    for (let i = 0; i < forgotten; i++) modules.delete(message.readUInt32LE(5 + 4 * i));
    let at = 5 + 4 * forgotten;
    const length = message.readUInt32LE(at);
    at += 4;
    const imports = JSON.parse(message.toString("utf8", at, at + length));
    try {
      const module = new WebAssembly.Module(message.subarray(at + length));
      modules.set(nextId, { module, imports });
      send(OK, u32(nextId++));
    } catch (error) {
      send(REFUSED, Buffer.from(`${error.name}: ${error.message}`));
    }
  }

  function instantiate(message) {
    const { module, imports } = modules.get(message.readUInt32LE(1));
    const context = { memory: null, exports: null };
    const given = {};
    imports.forEach(([space, name, params, result], index) => {
      (given[space] ??= {})[name] = hostFunction(context, index, params, result);
    });
    try {
      context.exports = new WebAssembly.Instance(module, given).exports;
    } catch (error) {
      send(error instanceof WebAssembly.RuntimeError ? TRAP : REFUSED, Buffer.from(`${error.name}: ${error.message}`));
      return;
    }
    context.memory = context.exports.memory;
    instances.set(nextId, context);
    send(OK, u32(nextId++), i64(BigInt(context.memory.buffer.byteLength)));
  }

  function run(message) {
    const { exports, memory } = instances.get(message.readUInt32LE(1));
    const particles = message.readBigInt64LE(5);
    const entry = exports[message.toString("utf8", 17)];
    exports["ewasm:pages"].value = message.readUInt32LE(13);
    let left;
    try {
      left = entry(particles);
    } catch (error) {
      const text = error === aborted ? "" : `${error.name}: ${error.message}`;
      const counters = [i64(exports["ewasm:gas"].value), i64(BigInt(exports["ewasm:stack"].value))];
      send(TRAP, ...counters, i64(BigInt(memory.buffer.byteLength)), Buffer.from(text));
      return;
    }
    send(DONE, i64(left), i64(BigInt(memory.buffer.byteLength)));
  }

  // Memory behind each argument that may be an address travels with the call: most host functions read no more.
  function hostFunction(context, index, params, result) {
    const count = params.length;
    return (...values) => {
      const memory = new Uint8Array(context.memory.buffer);
      const out = Buffer.alloc(5 + 4 + 8 + 8 + count * (8 + WINDOW));
      out.writeUInt32LE(out.length - 4, 0);
      out[4] = HOST_CALL;
      out.writeUInt32LE(index, 5);
      out.writeBigInt64LE(values[count], 9);
      out.writeBigInt64LE(BigInt(memory.length), 17);
      for (let i = 0, at = 25; i < count; i++, at += 8 + WINDOW) {
        if (params[i] === "I") {
          out.writeBigInt64LE(values[i], at);
        } else {
          const value = values[i] >>> 0;
          out.writeUInt32LE(value, at);
          if (value < memory.length) out.set(memory.subarray(value, value + WINDOW), at + 8);
        }
      }
      write(out);
      const answer = serve();
      if (answer[0] === ABORT) throw aborted;
      if (answer[0] !== RESULT) throw new TypeError(`message ${answer[0]} where a result belongs`);
      const particles = answer.readBigInt64LE(1);
      const value = result === "i" ? answer.readInt32LE(9) : answer.readBigInt64LE(9);
      writes(context.memory, answer, 17);
      return result === "" ? particles : [value, particles];
    };
  }

  // (u32 offset, u32 length, bytes) until the end
  function writes(memory, message, at) {
    if (at === message.length) return;
    const target = new Uint8Array(memory.buffer);
    while (at < message.length) {
      const offset = message.readUInt32LE(at);
      const length = message.readUInt32LE(at + 4);
      target.set(message.subarray(at + 8, at + 8 + length), offset);
      at += 8 + length;
    }
  }

  function close(message) {
    instances.delete(message.readUInt32LE(1));
    send(OK);
    // Each memory reserves gigabytes of addresses, which the collector does not count.
    if (++closed % COLLECT_EVERY === 0 && globalThis.gc) globalThis.gc();
  }

  serve();
}
