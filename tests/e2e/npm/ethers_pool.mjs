// ethers 6 on the pool: nonce gaps, replacement, subscriptions, snapshots.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Contract, JsonRpcProvider, Wallet, WebSocketProvider, isError } from "ethers";

const { url, wsUrl, key, to, address, abi } = JSON.parse(readFileSync(0, "utf8"));
const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, polling: true, pollingInterval: 50 });
const wallet = new Wallet(key, provider);
const fees = { maxFeePerGas: 5_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
const pay = (nonce, more = {}) => wallet.sendTransaction({ to, value: 1n, gasLimit: 21_000n, nonce, ...fees, ...more });

await provider.send("evm_setAutomine", [false]);
const first = await wallet.getNonce("latest");

const behind = await pay(first + 1);
assert.equal(await wallet.getNonce("pending"), first);
const ahead = await pay(first);
assert.equal(await wallet.getNonce("pending"), first + 2);
await assert.rejects(pay(first + 1, { value: 2n }), (error) => isError(error, "REPLACEMENT_UNDERPRICED"));
const replaced = assert.rejects(behind.wait(), (error) => {
  assert.ok(isError(error, "TRANSACTION_REPLACED"));
  assert.equal(error.reason, "replaced");
  return true;
});
await new Promise((resolve) => setTimeout(resolve, 200));
const better = await pay(first + 1, { value: 2n, maxFeePerGas: 6_000_000_000n, maxPriorityFeePerGas: 2_000_000_000n });
await provider.send("evm_mine", []);
assert.equal((await better.wait()).status, 1);
assert.equal((await ahead.wait()).status, 1);
await replaced;
await provider.send("evm_setAutomine", [true]);
await assert.rejects(pay(first), (error) => isError(error, "NONCE_EXPIRED"));
await assert.rejects(pay(first + 2, { value: 10n ** 30n }), (error) => isError(error, "INSUFFICIENT_FUNDS"));

const early = await pay(first + 3);
assert.equal(await provider.getTransactionReceipt(early.hash), null);
await pay(first + 2);
assert.equal((await provider.getTransactionReceipt(early.hash)).status, 1);

const socket = new WebSocketProvider(wsUrl, undefined, { cacheTimeout: -1 });
const token = new Contract(address, abi, new Wallet(key, socket));
const heard = [];
const pending = [];
await socket.on({ address }, (log) => heard.push(log.removed));
await socket.on("pending", (hash) => pending.push(hash));
await socket.getBlockNumber();
await new Promise((resolve) => setTimeout(resolve, 200));
const snapshot = await provider.send("evm_snapshot", []);
const response = await token.transfer(to, 5n);
assert.equal((await response.wait()).status, 1);
assert.equal(await provider.send("evm_revert", [snapshot]), true);
assert.equal(await provider.getTransactionReceipt(response.hash), null);
assert.equal((await token.queryFilter("Transfer", 0)).length, 1);
// A log that is taken back is an orphan to ethers, and does not come to those who listen for logs.
assert.deepEqual(heard, [false]);
assert.deepEqual(pending, [response.hash]);

const failing = await token.transfer(to, 10n ** 18n, { gasLimit: 200_000n });
await assert.rejects(failing.wait(), (error) => isError(error, "CALL_EXCEPTION"));
console.log("ok");
process.exit(0);
