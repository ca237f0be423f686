import { createServer } from "node:net";
import { expect, it } from "vitest";
import { portInUse, StartFailure } from "../../scripts/lib/failure.ts";
import { onPort } from "../../scripts/lib/port.ts";

it("when any port will do, one that is taken meanwhile is left for another, five times at most", async () => {
  const tried: number[] = [];
  const taken = (times: number) => (port: number) => {
    tried.push(port);
    return tried.length <= times ? Promise.reject(portInUse(port)) : Promise.resolve(port);
  };
  expect(await onPort(0, 0, taken(4))).toBe(tried.at(-1));
  expect(tried).toHaveLength(5);
  tried.length = 0;
  await expect(onPort(0, 0, taken(9))).rejects.toThrow(/^port \d+ is in use/);
  expect(tried).toHaveLength(5);
  tried.length = 0;
  await expect(onPort(0, 0, () => Promise.reject(new StartFailure("the Worker does not build")))).rejects.toThrow(
    "does not build",
  );
});

it("a port that is wanted is waited for, and no other is used", async () => {
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, "127.0.0.1", () => resolve((holder.address() as { port: number }).port));
  });
  await expect(onPort(port, 100, () => Promise.resolve("used"))).rejects.toThrow(`port ${port} is in use`);
  setTimeout(() => holder.close(), 150);
  expect(await onPort(port, 5_000, (used) => Promise.resolve(used))).toBe(port);
});
