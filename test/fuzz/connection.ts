import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type ParsedResponse, ResponseParser } from "./http_parser.ts";
import { bytesOf, type Input } from "./input.ts";

/** No answer takes this long: whatever is asked of is on this machine. */
const HUNG_MS = 30_000;
/** A stream that may stay open is read for so long after its last bytes, then closed. */
const IDLE_MS = 40;
/** The server asks its client something, and waits. */
const ASKS = /"method":"(elicitation\/create|sampling\/createMessage|roots\/list)"/;

export interface Answer extends ParsedResponse {
  missing: null;
  text: string;
  ms: number;
  /** It was still open when this side closed it, as it may be. */
  leftOpen: boolean;
  /** It was sent before, and may have been run: the answer to that was lost. */
  again?: boolean;
}

/** Nobody answered: this side left first, or the server closed the connection. */
export interface NoAnswer {
  missing: "left" | "closed" | "hung" | "garbled";
  detail: string;
  ms: number;
  /** The server closed before it had been sent everything; with a write that fails, an answer that came is lost here. */
  unsent?: boolean;
  again?: boolean;
}

/** One connection that is kept alive while the server allows it, and made anew when not. */
export class Connection {
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  async send(input: Input): Promise<Answer | NoAnswer> {
    const fresh = this.#socket === null;
    const answer = await this.#once(input);
    if (answer.missing !== "closed") return answer;
    // It may answer a request of which it has read enough, and close. Nothing is lost of an answer to what is written at once.
    if (answer.unsent && input.delivery.kind === "pieces") {
      return { ...(await this.send({ ...input, delivery: { kind: "whole" } })), again: true };
    }
    // The server may close an idle connection at any moment; what it did to a fresh one it means.
    return fresh ? answer : this.send(input);
  }

  async #once(input: Input): Promise<Answer | NoAnswer> {
    const began = performance.now();
    const socket = this.#socket ?? (await open(this.#port));
    this.#socket = socket;
    const { delivery } = input;
    const answered = read(socket, input);
    const left = await deliver(socket, input);
    const result = left
      ? await Promise.race([answered, sleep(delivery.kind === "cut" ? delivery.waitMs : 0, null)])
      : await answered;
    const ms = performance.now() - began;
    if (!result) this.close();
    if (!result) return { missing: "left", detail: "", ms };
    const closes =
      result.missing !== null ||
      result.leftOpen ||
      result.status === 101 ||
      result.headers.get("connection") === "close";
    if (closes || input.malformed || left) this.close();
    return { ...result, ms };
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** Writes a request as it wants to be delivered. True when the client is not to wait for the answer. */
async function deliver(socket: Socket, input: Input): Promise<boolean> {
  const bytes = bytesOf(input);
  const { delivery } = input;
  if (delivery.kind === "whole") {
    socket.write(bytes);
    return false;
  }
  if (delivery.kind === "cut") {
    socket.write(bytes.subarray(0, delivery.at));
    return true;
  }
  let at = 0;
  for (const next of [...delivery.at, bytes.length]) {
    socket.write(bytes.subarray(at, next));
    at = next;
    await sleep(delivery.gapMs);
  }
  return false;
}

type Read = Omit<Answer, "ms"> | Omit<NoAnswer, "ms">;

function read(socket: Socket, { method, mayStayOpen, malformed }: Input): Promise<Read> {
  return new Promise((resolve) => {
    const parser = new ResponseParser(method);
    let idle: NodeJS.Timeout | undefined;
    const done = (read: Read) => {
      clearTimeout(hung);
      clearTimeout(idle);
      socket.off("data", onData);
      socket.off("close", onClose);
      socket.off("error", onError);
      resolve(read);
    };
    const answer = (response: ParsedResponse, leftOpen = false): Read => ({
      ...response,
      missing: null,
      text: response.body.toString("utf8"),
      leftOpen,
    });
    const nothing = (missing: NoAnswer["missing"], detail = ""): Read => ({ missing, detail, unsent });
    let unsent = false;
    const onError = ({ syscall }: NodeJS.ErrnoException) => {
      unsent = syscall === "write";
    };
    const seen = () => `${JSON.stringify(parser.head?.status ?? null)} ${parser.body.toString("utf8").slice(0, 400)}`;
    const hung = setTimeout(() => done(nothing("hung", seen())), HUNG_MS);
    const onData = (bytes: Buffer) => {
      try {
        const response = parser.push(bytes);
        if (!response) return wait();
        // A request that is no HTTP may well be taken for two.
        const follows = parser.rest > 0 && !malformed;
        return done(follows ? nothing("garbled", "bytes follow the answer") : answer(response));
      } catch (error) {
        return done(nothing("garbled", (error as Error).message));
      }
    };
    const wait = () => {
      const { head } = parser;
      if (!head || !/^text\/event-stream/.test(head.headers.get("content-type") ?? "")) return;
      if (!mayStayOpen && !ASKS.test(parser.body.toString("utf8"))) return;
      clearTimeout(idle);
      idle = setTimeout(() => done(answer({ ...head, body: parser.body }, true)), IDLE_MS);
    };
    const onClose = () => {
      const response = parser.end();
      done(response ? answer(response) : nothing("closed", seen()));
    };
    socket.on("data", onData);
    socket.on("close", onClose);
    socket.on("error", onError);
    if (socket.destroyed) onClose();
  });
}
