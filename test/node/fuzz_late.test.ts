import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Input } from "../fuzz/input.ts";
import { Lane } from "../fuzz/lane.ts";
import type { Caller, World } from "../fuzz/world.ts";

/** What a server does for a client that left belongs to what that client sent, however late it is done. */

const LATE_MS = 120;
let server: Server;
let lane: Lane;
const books = { balance_nano: 1_000, reserved_nano: 0, seq: 1, calls: 0 };

/** Has books, and charges for `/paid`, when it has been there for a while, and for `/taken`, where it says that it did not. */
function startBooks(): Promise<Server> {
  const made = createServer(async (request, response) => {
    const answer = (body: object) =>
      response
        .writeHead(200, {
          "content-type": "application/json",
          "x-request-id": "r",
          ratelimit: "x",
          "x-ratelimit-remaining": String(1_000 - books.calls),
        })
        .end(JSON.stringify(body));
    if (request.url === "/paid") await sleep(LATE_MS);
    books.calls++;
    if (request.url === "/v1/sync") return answer({ cursor: { epoch: "e", seq: books.seq }, more: false });
    if (request.url === "/paid" || request.url === "/taken") books.balance_nano -= 30;
    answer(books);
  });
  return new Promise((resolve) => made.listen(0, "127.0.0.1", () => resolve(made)));
}

beforeAll(async () => {
  server = await startBooks();
});
beforeEach(() => {
  const { port } = server.address() as AddressInfo;
  const world = { port, secrets: [], readOnly: new Set() } as unknown as World;
  lane = new Lane(world, { lane: 1, account: "a", key: "wp_key" } as Caller);
  return () => lane.close();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const input = (target: string, left: boolean): Input => ({
  n: 0,
  surface: "rest",
  method: "GET",
  target,
  headers: [["Host", "localhost"]],
  body: null,
  framing: { kind: "length", lie: 0 },
  delivery: left ? { kind: "cut", at: 10_000, waitMs: 10 } : { kind: "whole" },
  malformed: false,
  mayStayOpen: false,
});
const sent = async (each: Input) => [...(await lane.send(each)), ...(await lane.settle())].map(({ why }) => why);

test("a late charge for a client that left is of its own stretch", async () => {
  expect(await sent(input("/paid", true))).toEqual([]);
  expect(lane.statuses.get("left")).toBe(1);
  await sleep(LATE_MS);
  expect(await sent(input("/v1/me", false))).toEqual([]);
});

test("a charge that no answer tells of is noticed, also after somebody left", async () => {
  expect((await sent(input("/taken", false))).join()).toMatch(/30 nano-USD were charged, and answers tell of 0/);
  expect(await sent(input("/paid", true))).toEqual([]);
  expect((await sent(input("/taken", false))).join()).toMatch(/30 nano-USD were charged/);
});
