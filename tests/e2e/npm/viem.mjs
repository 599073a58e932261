// viem 2 as its documentation has it: deploy, call, send, event, filter, revert, over HTTP and WebSocket.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BaseError, ContractFunctionRevertedError, createPublicClient, createTestClient, createWalletClient, http, webSocket } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

const { url, wsUrl, key, to, abi, bytecode } = JSON.parse(readFileSync(0, "utf8"));
const account = privateKeyToAccount(key);
const plain = abi.filter((item) => item.type !== "constructor");

async function session(transport) {
  const client = createPublicClient({ chain: foundry, transport, pollingInterval: 50 });
  const wallet = createWalletClient({ chain: foundry, transport, account });
  assert.equal(await client.getChainId(), 31337);

  const created = await wallet.deployContract({ abi: plain, bytecode });
  const { contractAddress: address } = await client.waitForTransactionReceipt({ hash: created });
  const read = (functionName, args = []) => client.readContract({ address, abi, functionName, args });
  assert.equal(await read("symbol"), "GLD");
  assert.equal(await read("balanceOf", [account.address]), 1000000n);

  const filter = await client.createContractEventFilter({ address, abi, eventName: "Transfer" });
  const { request } = await client.simulateContract({ address, abi, functionName: "transfer", args: [to, 250n], account });
  const hash = await wallet.writeContract(request);
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, "success");
  assert.equal(await read("balanceOf", [to]), 250n);
  const changes = await client.getFilterChanges({ filter });
  assert.equal(changes.length, 1);
  assert.deepEqual(changes[0].args, { from: account.address, to, value: 250n });
  assert.deepEqual(await client.getFilterChanges({ filter }), []);
  assert.ok(await client.uninstallFilter({ filter }));
  const logs = await client.getContractEvents({ address, abi, eventName: "Transfer", args: { to }, fromBlock: 0n });
  assert.equal(logs.length, 1);

  await assert.rejects(
    client.simulateContract({ address, abi, functionName: "transfer", args: [to, 10n ** 18n], account }),
    (error) => {
      assert.ok(error instanceof BaseError);
      const cause = error.walk((inner) => inner instanceof ContractFunctionRevertedError);
      assert.equal(cause.reason, "ERC20: insufficient balance");
      return true;
    },
  );
  assert.ok((await client.estimateFeesPerGas()).maxFeePerGas > 0n);
  assert.equal((await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [25.5, 75] })).reward.length, 2);
  const sent = await wallet.sendTransaction({ to, value: 3n });
  assert.equal((await client.getTransaction({ hash: sent })).value, 3n);
  return { client, wallet, address };
}

await session(http(url));

const { client, wallet, address } = await session(webSocket(wsUrl));
const block = new Promise((resolve, onError) => client.watchBlockNumber({ onBlockNumber: resolve, onError, emitOnBegin: false }));
const heard = new Promise((onLogs, onError) => client.watchContractEvent({ address, abi, eventName: "Transfer", onLogs, onError }));
await client.getBlockNumber({ cacheTime: 0 });
await new Promise((resolve) => setTimeout(resolve, 200));
await wallet.writeContract({ address, abi, functionName: "transfer", args: [to, 7n] });
assert.equal((await heard)[0].args.value, 7n);
assert.ok((await block) > 0n);

const test = createTestClient({ chain: foundry, mode: "anvil", transport: http(url) });
const snapshot = await test.snapshot();
await test.setBalance({ address: to, value: 12345n });
await test.mine({ blocks: 3 });
assert.equal(await client.getBalance({ address: to }), 12345n);
await test.revert({ id: snapshot });
assert.notEqual(await client.getBalance({ address: to }), 12345n);
console.log("ok");
process.exit(0);
