// ethers 6 as its documentation has it: deploy, call, send, event, filter, revert, over HTTP and WebSocket.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ContractFactory, JsonRpcProvider, WebSocketProvider, Wallet, isError } from "ethers";

// Each transaction is mined at once, so a nonce that was read 200 ms ago is stale.
const uncached = { cacheTimeout: -1 };
const { url, wsUrl, key, to, abi, bytecode } = JSON.parse(readFileSync(0, "utf8"));

async function session(provider) {
  const network = await provider.getNetwork();
  assert.equal(network.chainId, 31337n);
  const wallet = new Wallet(key, provider);
  const factory = new ContractFactory(abi.filter((item) => item.type !== "constructor"), bytecode, wallet);
  const token = await (await factory.deploy()).waitForDeployment();
  assert.equal(await token.symbol(), "GLD");
  assert.equal(await token.balanceOf(wallet.address), 1000000n);

  const response = await token.transfer(to, 250n);
  const receipt = await response.wait();
  assert.equal(receipt.status, 1);
  assert.equal(receipt.logs[0].fragment.name, "Transfer");
  assert.deepEqual([...receipt.logs[0].args], [wallet.address, to, 250n]);
  assert.equal(await token.balanceOf(to), 250n);

  const found = await token.queryFilter(token.filters.Transfer(null, to), 0, "latest");
  assert.equal(found.length, 1);
  assert.equal(found[0].transactionHash, receipt.hash);
  assert.equal((await token.queryFilter(token.filters.Transfer(to, null), 0, "latest")).length, 0);

  const gas = await token.transfer.estimateGas(to, 1n);
  await (await token.transfer(to, 1n, { gasLimit: gas })).wait();

  await assert.rejects(token.transfer.staticCall(to, 10n ** 18n), (error) => {
    assert.ok(isError(error, "CALL_EXCEPTION"));
    assert.equal(error.reason, "ERC20: insufficient balance");
    return true;
  });
  await assert.rejects(token.transfer(to, 10n ** 18n), (error) => error.reason === "ERC20: insufficient balance");

  const payment = await wallet.sendTransaction({ to, value: 5n });
  assert.equal((await payment.wait()).gasUsed, 21000n);
  assert.equal(await provider.getTransactionCount(wallet.address), await wallet.getNonce("pending"));
  const block = await provider.getBlock("latest", true);
  assert.equal(block.prefetchedTransactions[0].hash, payment.hash);
  const fees = await provider.getFeeData();
  assert.ok(fees.maxFeePerGas > 0n);
  return token;
}

const http = new JsonRpcProvider(url, undefined, uncached);
await session(http);
http.destroy();

const ws = new WebSocketProvider(wsUrl, undefined, uncached);
const token = await session(ws);
const heard = new Promise((resolve) => token.once("Transfer", (from, target, value) => resolve(value)));
const block = new Promise((resolve) => ws.once("block", resolve));
// The listeners' subscriptions are asked for in the background; the next answer comes behind theirs.
await ws.getBlockNumber();
await new Promise((resolve) => setTimeout(resolve, 200));
await (await token.transfer(to, 7n)).wait();
assert.equal(await heard, 7n);
assert.ok((await block) > 0);
// Listeners that heard what they waited for unsubscribe in the background; destroy() rejects what is not answered yet,
// with nobody there to catch it.
process.on("unhandledRejection", (error) => {
  if (error.operation !== "eth_unsubscribe") throw error;
});
await ws.getBlockNumber();
await ws.destroy();
console.log("ok");
