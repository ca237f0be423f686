/** Reads one HTTP/1.1 response after the other off the bytes of a connection (RFC 9112). */

export interface Head {
  status: number;
  headers: Map<string, string>;
}

export interface ParsedResponse extends Head {
  body: Buffer;
}

const HEAD_END = Buffer.from("\r\n\r\n");

export class ResponseParser {
  head: Head | null = null;
  #bytes: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  #have = 0;
  readonly #bodyless: boolean;

  /** @param method of the request: a response to HEAD has no body */
  constructor(method: string) {
    this.#bodyless = method === "HEAD";
  }

  /** Bytes that belong to no response yet. */
  get rest(): number {
    return this.#bytes.length;
  }

  /** What of the body has come. */
  get body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Takes bytes; gives the response once it is whole. @throws Error when it is not HTTP */
  push(bytes: Buffer): ParsedResponse | null {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    while (!this.head) {
      const end = this.#bytes.indexOf(HEAD_END);
      if (end < 0) return null;
      const head = parseHead(this.#bytes.subarray(0, end).toString("latin1"));
      this.#bytes = this.#bytes.subarray(end + 4);
      // 100 Continue comes before the response; 101 is the end of HTTP.
      if (head.status !== 100) this.head = head;
    }
    return this.#bodyComplete(this.head) ? { ...this.head, body: this.body } : null;
  }

  /** The connection has ended: the response, if that is how its end is told. */
  end(): ParsedResponse | null {
    if (!this.head || this.head.headers.has("content-length") || this.head.headers.has("transfer-encoding"))
      return null;
    return { ...this.head, body: this.body };
  }

  #bodyComplete({ status, headers }: Head): boolean {
    if (this.#bodyless || status < 200 || status === 204 || status === 304) return true;
    if (/chunked/i.test(headers.get("transfer-encoding") ?? "")) return this.#readChunks();
    const length = headers.get("content-length");
    const wanted = length === undefined ? Number.POSITIVE_INFINITY : Number(length) - this.#have;
    const part = this.#bytes.subarray(0, wanted);
    this.#bytes = this.#bytes.subarray(part.length);
    this.#parts.push(part);
    this.#have += part.length;
    return part.length === wanted;
  }

  #readChunks(): boolean {
    for (;;) {
      const line = this.#bytes.indexOf("\r\n");
      if (line < 0) return false;
      const size = Number.parseInt(this.#bytes.subarray(0, line).toString("latin1"), 16);
      if (!Number.isSafeInteger(size)) throw new Error("a chunk has no size");
      if (this.#bytes.length < line + 2 + size + 2) return false;
      if (size > 0) this.#parts.push(this.#bytes.subarray(line + 2, line + 2 + size));
      this.#bytes = this.#bytes.subarray(line + 2 + size + 2);
      if (size === 0) return true;
    }
  }
}

function parseHead(text: string): Head {
  const [first = "", ...lines] = text.split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
  if (!status) throw new Error(`this is no status line: ${first.slice(0, 100)}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`this is no header: ${line.slice(0, 100)}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  return { status, headers };
}
