import type { Dice } from "./dice.ts";
import type { Input } from "./input.ts";

/** What belongs to the caller of an input. */
export interface Own {
  host: string;
  key: string;
  /** Ids of MCP sessions, of this caller and of others. */
  sessions: string[];
  /** A key that was revoked, of the same account. */
  revoked: string;
}

/** Puts something odd into the head of a request. */
export function disturb(input: Input, dice: Dice, own: Own): void {
  const set = (name: string, value: string) => {
    drop(input, name);
    input.headers.push([name, value]);
  };
  const add = (name: string, value: string) => void input.headers.push([name, value]);
  const broken = (change: () => void) => () => {
    input.malformed = true;
    change();
  };
  dice.weighted<() => void>([
    [
      6,
      () =>
        set(
          "Accept",
          dice.pick(["", "*/*", "application/json", "text/event-stream", "text/html;q=0", "x".repeat(500)]),
        ),
    ],
    [6, () => set("Content-Type", dice.pick(CONTENT_TYPES))],
    [2, () => drop(input, "Content-Type")],
    [3, () => set("Content-Encoding", dice.pick(["gzip", "br", "identity", "x"]))],
    [
      7,
      () =>
        set("Mcp-Protocol-Version", dice.pick(["2025-11-25", "2026-07-28", "2024-11-05", "1999-01-01", "", "x", "é"])),
    ],
    [3, () => drop(input, "Mcp-Protocol-Version")],
    [4, () => set("Mcp-Method", dice.pick(["tools/call", "tools/list", "x", "", "=?base64?dG9vbHM=?="]))],
    [4, () => set("Mcp-Name", dice.pick(["chat", "search", "", "=?base64?!!?=", "none"]))],
    [
      5,
      () =>
        set(
          "Mcp-Session-Id",
          dice.pick([...own.sessions, "none", "", "x".repeat(2_000), "open", "0".repeat(64), "\u00e9"]),
        ),
    ],
    [3, () => set("Last-Event-ID", dice.pick(["0", "x", "call_none:5", "-1", "9".repeat(400)]))],
    [3, () => set("Origin", dice.pick(["null", "https://evil.invalid", `http://${own.host}`, "x", ""]))],
    [6, () => set("Authorization", dice.pick(authorizations(own)))],
    [2, () => drop(input, "Authorization")],
    [1, () => add("Authorization", `Bearer ${own.key}`)],
    [2, () => set("X-Api-Key", dice.pick([own.revoked, "wp_", "x"]))],
    [4, () => set("Idempotency-Key", dice.pick(["k1", "", " ", "x".repeat(256), "\u00ff", "a,b"]))],
    [4, () => set("X-Request-Id", dice.pick(["mine-1", "x".repeat(129), "a b", "eyJ0.x.y", "<script>", ""]))],
    [2, () => set("User-Agent", dice.pick(["", "x".repeat(5_000), "\u00e9\u00e9", "Mozilla/5.0"]))],
    [2, () => set("Cookie", "session=x; __Host-session=wp_x")],
    [1, () => set("Expect", "100-continue")],
    [1, () => set("Range", "bytes=0-1")],
    [1, () => set("If-None-Match", "*")],
    [1, () => set("Connection", dice.pick(["close", "keep-alive"]))],
    [1, () => set("X-Forwarded-Host", "evil.invalid")],
    [1, () => set("Cf-Connecting-Ip", dice.pick(["::1", "not an address", "1.2.3.4, 5.6.7.8"]))],
    [1, () => set("Sec-Websocket-Protocol", "waypost.live, bearer.x")],
    [1, () => set("X-Long", "y".repeat(6_000))],
    [
      1,
      () => {
        for (let i = 0; i < 60; i++) add(`X-Many-${i}`, "1");
      },
    ],
    [1, () => set("Host", dice.pick(["evil.invalid", "localhost", "[::1]", "127.0.0.1:1"]))],
    [1, broken(() => set("Host", ""))],
    [1, broken(() => add("Content-Length", "3"))],
    [1, broken(() => add("Transfer-Encoding", "gzip, chunked"))],
    [1, broken(() => add("Bad Name", "x"))],
    [1, broken(() => add("X-Break", "a\r\n b\r\nno colon"))],
    [1, broken(() => add("X-Null", "a\u0000b"))],
    [1, broken(() => add("X-Huge", "z".repeat(150_000)))],
    [
      1,
      broken(() => {
        input.method = dice.pick(["get", "P OST", "", "CONNECT", "TRACE", "FROB", "\u0000"]);
      }),
    ],
    [
      1,
      broken(() => {
        input.target = dice.pick([
          "*",
          "mcp",
          "http://evil.invalid/mcp",
          "/mcp#x",
          "/m\u00e9",
          "/ HTTP/1.1\r\nX: y",
          "",
        ]);
      }),
    ],
    [
      1,
      broken(() => {
        input.target = `/${"p".repeat(70_000)}`;
      }),
    ],
  ])();
}

const CONTENT_TYPES = [
  "application/json; charset=utf-8",
  "application/json; charset=utf-16",
  "APPLICATION/JSON",
  "application/jsonx",
  "text/json",
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "application/json, text/plain",
  "",
  ";",
];

const authorizations = ({ key, revoked }: Own): string[] => [
  "",
  "Bearer",
  "Bearer ",
  `bearer ${key}`,
  `Basic ${Buffer.from(`x:${key}`).toString("base64")}`,
  `Bearer ${key}x`,
  `Bearer ${key.slice(0, -1)}`,
  `Bearer ${key} ${key}`,
  `Bearer ${revoked}`,
  "Bearer wp_a_b_c",
  "Bearer eyJhbGciOiJub25lIn0.e30.",
  "Bearer a:b:c",
  `Bearer ${"x".repeat(9_000)}`,
  "Bearer \u00e9",
];

export function drop(input: Input, name: string): void {
  input.headers = input.headers.filter(([each]) => each.toLowerCase() !== name.toLowerCase());
}
