// viem 2 on the pool: nonce gaps, replacement, reverts, logs taken back, traces.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createPublicClient, createTestClient, createWalletClient, http, parseAbi, publicActions, walletActions, webSocket } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

const { url, wsUrl, key, to, address, abi } = JSON.parse(readFileSync(0, "utf8"));
const account = privateKeyToAccount(key);
const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(url), account, pollingInterval: 50 })
  .extend(publicActions)
  .extend(walletActions);
const fees = { maxFeePerGas: 5_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
const pay = (nonce, more = {}) => node.sendTransaction({ to, value: 1n, gas: 21_000n, nonce, ...fees, ...more });
const count = (blockTag) => node.getTransactionCount({ address: account.address, blockTag });

await node.setAutomine(false);
const first = await count("latest");

// A gap: what lies behind it waits, and the pending nonce does not jump over it.
const behind = await pay(first + 1);
assert.equal(await count("pending"), first);
assert.deepEqual(await node.getTxpoolStatus(), { pending: 0, queued: 1 });
await pay(first);
assert.equal(await count("pending"), first + 2);
assert.deepEqual(await node.getTxpoolStatus(), { pending: 2, queued: 0 });

// Replacement: too cheap is refused, a tenth more is taken, and whoever waits for the old one learns of it.
await assert.rejects(pay(first + 1, { value: 2n }), /replacement transaction underpriced/);
const waiting = new Promise((resolve, reject) => {
  node.waitForTransactionReceipt({ hash: behind, onReplaced: (event) => resolve(event) }).catch(reject);
});
await new Promise((resolve) => setTimeout(resolve, 100));
const better = await pay(first + 1, { value: 2n, maxFeePerGas: 6_000_000_000n, maxPriorityFeePerGas: 2_000_000_000n });
await assert.rejects(node.getTransaction({ hash: behind }), /could not be found/);
await node.mine({ blocks: 1 });
const replaced = await waiting;
assert.equal(replaced.transaction.hash, better);
assert.equal(await count("latest"), first + 2);

// Automine again: a gap still waits, and is filled by the next transaction.
await node.setAutomine(true);
const early = await pay(first + 3);
await assert.rejects(node.getTransactionReceipt({ hash: early }), /could not be found/);
await pay(first + 2);
assert.equal((await node.getTransactionReceipt({ hash: early })).status, "success");
await assert.rejects(pay(first), /[Nn]once/);

// A subscription hears of logs, and again when a snapshot takes their block back.
const socket = createPublicClient({ chain: foundry, transport: webSocket(wsUrl) });
const heard = [];
const { unsubscribe } = await socket.transport.subscribe({
  params: ["logs", { address }],
  onData: (data) => heard.push(data.result),
});
const snapshot = await node.snapshot();
const event = await node.createContractEventFilter({ abi, address, eventName: "Transfer" });
const sent = await node.writeContract({ abi, address, functionName: "transfer", args: [to, 5n] });
assert.equal((await node.getFilterChanges({ filter: event })).length, 1);
await node.revert({ id: snapshot });
const gone = await node.getFilterChanges({ filter: event });
assert.deepEqual(gone.map((log) => [log.transactionHash, log.removed]), [[sent, true]]);
await node.mine({ blocks: 1 });
while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
assert.deepEqual(heard.map((log) => log.removed), [false, true]);
await unsubscribe();

// Revert reasons of transactions that were mined, through traces.
const failed = await node.writeContract({ abi, address, functionName: "transfer", args: [to, 10n ** 18n], gas: 200_000n });
assert.equal((await node.getTransactionReceipt({ hash: failed })).status, "reverted");
const trace = await node.request({ method: "debug_traceTransaction", params: [failed, { tracer: "callTracer" }] });
assert.equal(trace.revertReason, "ERC20: insufficient balance");

// Test actions that other nodes have.
await node.impersonateAccount({ address: to });
await node.sendTransaction({ account: to, to: account.address, value: 1n });
await node.stopImpersonatingAccount({ address: to });
await node.setNextBlockTimestamp({ timestamp: (await node.getBlock()).timestamp + 1000n });
await node.increaseTime({ seconds: 60 });
await node.setStorageAt({ address: to, index: 2, value: `0x${"00".repeat(31)}07` });
assert.equal(BigInt(await node.getStorageAt({ address: to, slot: "0x2" })), 7n);
const state = await node.dumpState();
await node.loadState({ state });
await node.setNextBlockBaseFeePerGas({ baseFeePerGas: 1_234_567_890n });
await node.mine({ blocks: 1 });
assert.equal((await node.getBlock()).baseFeePerGas, 1_234_567_890n);
assert.ok((await node.getProof({ address: account.address, storageKeys: [] })).accountProof.length > 0);
const [call] = await node.simulateCalls({ calls: [{ to: address, abi: parseAbi(["function symbol() view returns (string)"]), functionName: "symbol" }] }).then((done) => done.results);
assert.equal(call.result, "GLD");
console.log("ok");
process.exit(0);
