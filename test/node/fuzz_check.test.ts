import { type AddressInfo, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { difference, Expected } from "../fuzz/books.ts";
import { fault } from "../fuzz/check.ts";
import { type Answer, Connection } from "../fuzz/connection.ts";
import { ResponseParser } from "../fuzz/http_parser.ts";
import { bytesOf, type Delivery, type Input, isComplete, promisesMore } from "../fuzz/input.ts";
import { shrink } from "../fuzz/shrink.ts";

/** What the fuzzer looks for it must also see. */

const input: Input = {
  n: 0,
  surface: "mcp",
  method: "POST",
  target: "/mcp",
  headers: [["Host", "localhost"]],
  body: Buffer.from(
    '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search","arguments":{"a":[1,2,3]}}}',
  ),
  framing: { kind: "length", lie: 0 },
  delivery: { kind: "whole" },
  malformed: false,
  mayStayOpen: false,
};
const rest: Input = { ...input, surface: "rest", target: "/v1/search" };
const secrets = { never: ["wp_secret"], lane: 1 };

function answered(status: number, body: object | string, headers: Record<string, string> = {}): Answer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = { "content-type": "application/json", "x-request-id": "r", ...headers };
  return {
    missing: null,
    status,
    text,
    body: Buffer.from(text),
    headers: new Map(Object.entries(all)),
    ms: 1,
    leftOpen: false,
  };
}
/** As the runtime answers what it gives to no Worker. */
const bare = (status: number, text: string): Answer => ({
  ...answered(status, text),
  headers: new Map([["content-type", "text/plain"]]),
});
const problem = (code: string) => ({
  type: `/errors/${code}`,
  title: "t",
  status: 400,
  code,
  detail: "d",
  next: "n",
  retry: "never",
});
const result = (value: object, id: unknown = 7) => ({ jsonrpc: "2.0", id, result: value });

describe("an answer is a fault", () => {
  const faults: [string, Input, Answer][] = [
    ["a stack", rest, answered(400, { ...problem("invalid_input"), detail: "x at Object.run (index.js:1:2)" })],
    ["a secret", input, answered(200, result({ text: "wp_secret" }))],
    ["another's document", input, answered(200, result({ text: "canary-2-acc" }))],
    ["internal", rest, answered(500, problem("internal"))],
    ["no code", rest, answered(400, { error: "no" })],
    ["an unknown code", rest, answered(400, problem("made_up"))],
    ["another id", input, answered(200, result({}, 8))],
    ["an RPC error without a code", input, answered(200, { jsonrpc: "2.0", id: 7, error: { code: -1, message: "m" } })],
    ["a failed tool without a problem", input, answered(200, result({ isError: true, content: [] }))],
    ["half an event", input, answered(200, "data: {\n\n", { "content-type": "text/event-stream" })],
    ["no JSON", rest, answered(200, "{")],
    ["a failure without a body", { ...rest, method: "HEAD" }, answered(500, "")],
    ["a broken head that it takes for a failure", { ...rest, malformed: true }, bare(500, "Internal Server Error")],
    ["CONNECT and words of its own", { ...rest, method: "CONNECT", malformed: true }, bare(500, "no")],
  ];
  test.each(faults)("with %s", (_, sent, answer) => expect(fault(sent, answer, secrets)).not.toBeNull());

  test("when there is none", () => {
    for (const missing of ["hung", "garbled", "closed"] as const) {
      expect(fault(input, { missing, detail: "", ms: 1 }, secrets)).not.toBeNull();
    }
    expect(fault(input, { missing: "left", detail: "", ms: 1 }, secrets)).toBeNull();
  });

  test("unless it is as it must be", () => {
    expect(fault(rest, answered(400, problem("invalid_input")), secrets)).toBeNull();
    expect(fault(input, answered(200, result({})), secrets)).toBeNull();
    expect(fault(input, answered(200, result({ text: "canary-1-acc" })), secrets)).toBeNull();
    const headers: Input["headers"] = [["Mcp-Name", "file:///etc/hostname"]];
    const echo = answered(200, result({ text: "file:///etc/hostname" }));
    expect(fault({ ...input, headers }, echo, secrets)).toBeNull();
    expect(fault(input, echo, secrets)).toMatch(/inside/);
    const page: Input = { ...rest, surface: "page", target: "/oauth/register", malformed: true };
    expect(fault(page, answered(429, { error: "temporarily_unavailable" }), secrets)).toBeNull();
    expect(fault(page, answered(500, problem("internal")), secrets)).toMatch(/status 500/);
    expect(fault({ ...rest, malformed: true }, bare(400, "invalid HTTP header parsed"), secrets)).toBeNull();
    const connects = { ...rest, method: "CONNECT", malformed: true };
    expect(fault(connects, bare(500, "Internal Server Error"), secrets)).toBeNull();
  });
});

describe("the books", () => {
  const before = { vault: "e:1", creditNano: 100, heldNano: 0, calls: 50 };
  const of = (sent: Input, answer: Answer | null) => {
    const expected = new Expected();
    expected.add(sent, answer, new Set(["search"]));
    return expected;
  };
  const refused = of(rest, answered(400, problem("invalid_input")));

  test("of a refusal are as they were", () => {
    expect(difference(before, { ...before, calls: 48 }, refused)).toBeNull();
    expect(difference(before, { ...before, calls: 47 }, refused)).toMatch(/counted/);
    expect(difference(before, { ...before, vault: "e:2", calls: 48 }, refused)).toMatch(/vault/);
    expect(difference(before, { ...before, creditNano: 99, calls: 48 }, refused)).toMatch(/charged/);
    expect(difference(before, { ...before, heldNano: 1, calls: 48 }, refused)).toMatch(/held/);
  });

  test("of an answer that says its cost are less by that", () => {
    const paid = of(rest, answered(200, {}, { "x-waypost-cost-nano-usd": "30", ratelimit: "x" }));
    expect(difference(before, { ...before, creditNano: 70, calls: 47 }, paid)).toBeNull();
    expect(difference(before, { ...before, creditNano: 69, calls: 47 }, paid)).toMatch(/charged/);
  });

  test("of what only reads show no change", () => {
    const read = of(input, answered(200, result({}), { ratelimit: "x" }));
    expect(difference(before, { ...before, vault: "e:2", calls: 47 }, read)).toMatch(/vault/);
  });
});

describe("more is promised than is sent", () => {
  const coded = (body: string): Input => ({
    ...rest,
    headers: [["Transfer-Encoding", "gzip, chunked"]],
    body: Buffer.from(body),
  });
  test.each<[string, Input, boolean]>([
    ["no chunk", coded(""), true],
    ["half the length of a chunk", coded("1e309"), true],
    ["a chunk that goes on", coded("7\n7"), true],
    ["what is no chunk", coded('{"a":1}'), false],
    ["a length without a body", { ...rest, headers: [["Content-Length", "3"]], body: null }, true],
    ["a length that is too large", { ...rest, framing: { kind: "length", lie: 1 } }, true],
    ["all of it", rest, false],
    ["all of it in chunks", { ...coded(""), framing: { kind: "chunked", sizes: [1], extra: "" } }, false],
  ])("with %s", (_, sent, more) => {
    expect(promisesMore(sent)).toBe(more);
    expect(isComplete(sent)).toBe(!more);
  });
});

test("a question whose head is whole may run though its body is cut", () => {
  const question: Input = { ...rest, method: "GET", framing: { kind: "length", lie: 9 } };
  const head = bytesOf(question).indexOf("\r\n\r\n") + 4;
  const cutAt = (input: Input, at: number) => isComplete({ ...input, delivery: { kind: "cut", at, waitMs: 0 } });
  expect([cutAt(question, head - 1), cutAt(question, head), cutAt({ ...rest }, head)]).toEqual([false, true, false]);
});

test("responses are read from pieces of any size", () => {
  const bytes = Buffer.from(
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
  );
  for (const size of [1, 7, 500]) {
    const parser = new ResponseParser("POST");
    let response = null;
    for (let at = 0; at < bytes.length; at += size) response = parser.push(bytes.subarray(at, at + size));
    expect(response?.body.toString()).toBe("abcde");
  }
});

test.each<Delivery>([{ kind: "whole" }, { kind: "pieces", at: [20, 40], gapMs: 5 }])(
  "a server that closes without an answer is noticed, with %j",
  async (delivery) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const connection = new Connection((server.address() as AddressInfo).port);
    const answer = await connection.send({ ...input, delivery });
    expect(answer.missing).toBe("closed");
    expect(fault(input, answer, secrets)).toMatch(/no answer: closed/);
    connection.close();
    server.close();
  },
);

test("a failing input is shrunk to what makes it fail", async () => {
  const noisy: Input = {
    ...input,
    headers: [...input.headers, ["X", "1"]],
    delivery: { kind: "pieces", at: [3], gapMs: 0 },
  };
  const fails = async (candidate: Input) => /"a":\[.*2/.test(candidate.body?.toString() ?? "");
  const least = await shrink(noisy, fails);
  expect(least.body?.toString()).toBe('{"params":{"arguments":{"a":[2]}}}');
  expect(least.headers).toEqual([]);
  expect(bytesOf(least).toString()).toContain("Content-Length: 34\r\n");
});
