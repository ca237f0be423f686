import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { Cut, isPassing, isSessionLost, reason } from "./failures.mjs";
import { clientNamed, isInitialize, staysOpen } from "./messages.mjs";
import { pacedFetch } from "./pressure.mjs";
import { VERSION } from "./settings.mjs";

/**
 * The server's side of the bridge: requests and their answers over HTTP, repeated when a connection is cut.
 *
 * @typedef {import("./messages.mjs").Request} Request
 * @typedef {import("./messages.mjs").Message} Message
 * @typedef {import("@modelcontextprotocol/client").JSONRPCResponse} Answer
 * @typedef {{ signal: AbortSignal, unwanted: boolean }} Ticket `unwanted`: its client has cancelled it, and may still get the answer
 */

/** How often a request is repeated: a server that restarts is back by then, a wrong address is told soon. */
const REPEATS = { reached: 6, never: 3 };
const FIRST_DELAY_MS = 250;
const RECONNECTION = {
  initialReconnectionDelay: 500,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 100,
};

export class Upstream {
  /** Gets what the server sends of its own accord: its requests and notifications. @type {(message: Message) => void} */
  onmessage = () => {};
  #http;
  #log;
  /** @type {Record<string, string>} */
  #headers;
  /** Requests that wait for their answer. @type {Map<string | number, { answered(answer: Answer): void, cut(): void }>} */
  #open = new Map();
  #reached = false;
  /** What opened the session. @type {Request | undefined} */
  #opening;
  /** @type {Promise<void> | undefined} */
  #reopening;

  /** @param {{ url: URL, key: string, log: (line: string) => void, taken: () => Promise<void> }} options */
  constructor({ url, key, log, taken }) {
    this.#log = log;
    this.#headers = { Authorization: `Bearer ${key}`, "User-Agent": `waypost-bridge/${VERSION}` };
    const paced = pacedFetch(taken);
    this.#http = new StreamableHTTPClientTransport(url, {
      requestInit: { headers: this.#headers },
      reconnectionOptions: RECONNECTION,
      fetch: async (address, init) => {
        const response = await paced(address, init);
        // The stream that only listens learns of a lost session before anybody asks for anything.
        if (init?.method === "GET" && response.status === 404) this.#reopen(this.#http.sessionId).catch(() => {});
        return response;
      },
    });
    this.#http.onmessage = (message) => this.#arrived(message);
    this.#http.onerror = (error) => this.#report(error);
  }

  start() {
    return this.#http.start();
  }

  /** Ends everything; a session is taken leave of, if the server is quick about it. */
  async close() {
    const farewell = this.#http.terminateSession().catch(() => {});
    await Promise.race([farewell, sleep(1000, undefined, { ref: false })]);
    await this.#http.close();
  }

  /**
   * A message that no answer belongs to.
   * @param {Message} message
   */
  tell(message) {
    return this.#http.send(message);
  }

  /**
   * @param {Request} request
   * @param {Ticket} ticket
   * @returns {Promise<Answer | null>} null when its client wants no answer any more
   * @throws what `explain` explains
   */
  async request(request, ticket) {
    this.#nameClient(request);
    for (let repeats = 0; ; repeats++) {
      const session = this.#http.sessionId;
      try {
        const answer = await this.#once(request, ticket.signal);
        if (isInitialize(request)) this.#opened(request, answer);
        this.#reached = true;
        return answer;
      } catch (error) {
        if (ticket.signal.aborted || ticket.unwanted) return null;
        const lost = isSessionLost(error) && session !== undefined && !isInitialize(request);
        if (!(lost || isPassing(error)) || this.#enough(request, repeats)) throw error;
        if (lost) await this.#reopen(session);
        else await this.#pause(request, repeats, error, ticket.signal);
      }
    }
  }

  /**
   * @param {Request} request
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #once(request, signal) {
    const failed = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        const cut = () => reject(new Cut());
        this.#open.set(request.id, { answered: resolve, cut });
        signal.addEventListener("abort", cut, { once: true });
        const requestSignal = AbortSignal.any([signal, failed.signal]);
        this.#http.send(request, { requestSignal, onRequestStreamEnd: cut }).catch(reject);
      });
    } catch (error) {
      // Or it would be resumed beside its repetition.
      failed.abort();
      throw error;
    } finally {
      this.#open.delete(request.id);
    }
  }

  /** @param {Message} message */
  #arrived(message) {
    if (!isJSONRPCResultResponse(message) && !isJSONRPCErrorResponse(message)) return this.onmessage(message);
    const waiting = message.id === undefined ? undefined : this.#open.get(message.id);
    if (waiting) waiting.answered(message);
    else this.#log(`the server answered a request that nobody waits for (id ${JSON.stringify(message.id)})`);
  }

  /**
   * @param {Request} request
   * @param {Answer} answer
   */
  #opened(request, answer) {
    if (!isJSONRPCResultResponse(answer)) return;
    this.#opening = request;
    this.#http.setProtocolVersion(String(answer.result.protocolVersion));
  }

  /**
   * A session like the one that was lost. What still waited for an answer in that one is asked again in the new one.
   * @param {string | undefined} lost
   */
  #reopen(lost) {
    if (lost === undefined || lost !== this.#http.sessionId || !this.#opening) return Promise.resolve();
    this.#reopening ??= this.#openAgain(this.#opening).finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  /** @param {Request} opening */
  async #openAgain(opening) {
    const waiting = [...this.#open.values()];
    const request = { ...opening, id: `waypost-bridge-${randomUUID()}` };
    const answer = await this.#once(request, new AbortController().signal);
    this.#opened(request, answer);
    await this.#http.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    for (const { cut } of waiting) cut();
    this.#log("the server had ended the session; opened a new one");
  }

  /**
   * @param {Request} request
   * @param {number} repeats
   */
  #enough(request, repeats) {
    if (staysOpen(request) && this.#reached) return false;
    return repeats >= (this.#reached ? REPEATS.reached : REPEATS.never);
  }

  /**
   * @param {Request} request
   * @param {number} repeats
   * @param {unknown} error
   * @param {AbortSignal} signal
   */
  async #pause(request, repeats, error, signal) {
    const delay = FIRST_DELAY_MS * 2 ** Math.min(repeats, 6);
    this.#log(`${request.method}: ${reason(error)}; trying again in ${delay} ms`);
    await sleep(delay, undefined, { signal }).catch(() => {});
  }

  /** @param {Request} request */
  #nameClient(request) {
    const name = clientNamed(request);
    if (name) this.#headers["User-Agent"] = `${name} waypost-bridge/${VERSION}`;
  }

  /** What fails a request is told where the request ends; this is the rest. @param {Error} error */
  #report(error) {
    if (error instanceof TypeError || error.name === "AbortError" || "status" in error) return;
    this.#log(reason(error));
  }
}
