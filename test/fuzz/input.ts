/** How the bytes of a request reach the server. */
export type Delivery =
  | { kind: "whole" }
  /** In pieces that end at these offsets, some milliseconds apart. */
  | { kind: "pieces"; at: number[]; gapMs: number }
  /** Only so many bytes; then the connection is closed. */
  | { kind: "cut"; at: number; waitMs: number };

/** What answers: an API that speaks the catalogue, or a page, which speaks to people and browsers. */
export type Surface = "mcp" | "rest" | "openai" | "anthropic" | "page";

/** One request as bytes will be made of it. */
export interface Input {
  n: number;
  surface: Surface;
  method: string;
  target: string;
  headers: [name: string, value: string][];
  body: Buffer | null;
  /** `length` announces the true length plus `lie`. */
  framing: { kind: "length"; lie: number } | { kind: "chunked"; sizes: number[]; extra: string };
  delivery: Delivery;
  /** HTTP itself is broken: the runtime may answer in its own words, or close the connection. */
  malformed: boolean;
  /** The answer may be a stream that stays open until the client closes it. */
  mayStayOpen: boolean;
}

/** The whole request as bytes. */
export function bytesOf({ method, target, headers, body, framing }: Input): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  if (body && framing.kind === "length") lines.push(`Content-Length: ${Math.max(0, body.length + framing.lie)}\r\n`);
  if (body && framing.kind === "chunked") lines.push("Transfer-Encoding: chunked\r\n");
  // Latin-1, so that a header can hold any byte.
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  if (!body) return head;
  return Buffer.concat([head, framing.kind === "length" ? body : chunked(body, framing.sizes, framing.extra)]);
}

function chunked(body: Buffer, sizes: readonly number[], extra: string): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, i = 0; at < body.length; i++) {
    const piece = body.subarray(at, at + Math.max(1, sizes[i % sizes.length] ?? body.length));
    parts.push(Buffer.from(`${piece.length.toString(16)}${extra}\r\n`), piece, Buffer.from("\r\n"));
    at += piece.length;
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

/** Whether so much of the request is sent that the server may have run it although nobody reads the answer. */
export function isComplete(input: Input): boolean {
  const bytes = bytesOf(input);
  const sent = input.delivery.kind === "cut" ? input.delivery.at : bytes.length;
  // Nobody reads the body of a question, so nobody waits for it.
  if (BODILESS.has(input.method)) return sent >= bytes.indexOf("\r\n\r\n") + 4;
  return !promisesMore(input) && sent >= bytes.length;
}
const BODILESS = new Set(["GET", "HEAD", "DELETE"]);

/** The head announces more of a body than is there: a server waits for the rest, and rightly. */
export function promisesMore({ headers, body, framing }: Input): boolean {
  if (framing.kind === "chunked") return false;
  const has = (name: string) => headers.some(([each]) => each === name);
  // A transfer coding outweighs every length (RFC 9112, section 6.3); a length of a chunk is then what must come first.
  if (has("Transfer-Encoding")) return BEGINS_CHUNK.test(body?.toString("latin1") ?? "");
  return body ? framing.lie > 0 : has("Content-Length");
}
const BEGINS_CHUNK = /^([\da-f]+([;\r\n].*)?)?$/is;

/** For people: one line that says what was sent. */
export function shown(input: Input): string {
  const { method, target, headers, body, framing, delivery } = input;
  const head = headers
    .filter(([name]) => !/^(host|authorization)$/i.test(name))
    .map(([n, v]) => `${n}: ${v}`.slice(0, 120));
  const text = body ? `${JSON.stringify(body.toString("utf8").slice(0, 1_500))} (${body.length} bytes)` : "no body";
  return `#${input.n} ${method} ${target.slice(0, 300)}\n  ${head.join("\n  ")}\n  ${JSON.stringify({ framing, delivery }).slice(0, 300)}\n  ${text}`;
}
