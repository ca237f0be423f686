import { isJSONRPCNotification, isJSONRPCRequest, isJSONRPCResultResponse } from "@modelcontextprotocol/client";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { explain, reason } from "./failures.mjs";
import {
  cancelledId,
  isInitialize,
  isInitialized,
  readOnlyTools,
  repeatable,
  standsAlone,
  staysOpen,
} from "./messages.mjs";
import { Places } from "./pressure.mjs";
import { Upstream } from "./upstream.mjs";

/**
 * @typedef {import("./messages.mjs").Request} Request
 * @typedef {import("./messages.mjs").Notification} Notification
 * @typedef {import("./messages.mjs").Message} Message
 * @typedef {{ request: Request, controller: AbortController, signal: AbortSignal, unwanted: boolean, sent: boolean }} Waiting
 *
 * @typedef {object} BridgeOptions
 * @property {URL} url the MCP endpoint
 * @property {string} key sent as a bearer
 * @property {import("node:stream").Readable} stdin
 * @property {import("node:stream").Writable} stdout
 * @property {(line: string) => void} log for people
 */

/** Requests under way at once, and how many may wait beyond that before no more are read. */
const AT_ONCE = 64;
const MOST_WAITING = 256;

/** A client on stdio and a server on HTTP, message by message, in both protocol eras. */
export class Bridge {
  #stdio;
  #upstream;
  #stdin;
  #url;
  #log;
  #places = new Places(AT_ONCE);
  /** Requests of the client that have no answer yet. @type {Map<string | number, Waiting>} */
  #waiting = new Map();
  /** Tools that change nothing. @type {Set<unknown>} */
  #readOnly = new Set();
  /** The opening of a session: what is read after it waits for it. @type {Promise<unknown>} */
  #opening = Promise.resolve();
  /** @type {Set<Promise<void>>} */
  #writes = new Set();
  #closed = false;

  /** @param {BridgeOptions} options */
  constructor({ url, key, stdin, stdout, log }) {
    this.#url = url;
    this.#stdin = stdin;
    this.#log = log;
    this.#stdio = new StdioServerTransport(stdin, stdout);
    this.#upstream = new Upstream({ url, key, log, taken: () => this.#taken() });
    this.#stdio.onmessage = (message) => this.#received(message);
    this.#stdio.onerror = (error) => log(`standard input: ${reason(error)}`);
    this.#upstream.onmessage = (message) => this.#write(message);
  }

  /** Runs until standard input ends, nobody reads standard output, or `stop`. */
  async run() {
    /** @type {Promise<void>} */
    const closed = new Promise((resolve) => {
      this.#stdio.onclose = resolve;
    });
    await this.#upstream.start();
    await this.#stdio.start();
    await closed;
    this.#closed = true;
    for (const { controller } of this.#waiting.values()) controller.abort();
    await this.#upstream.close();
  }

  stop() {
    return this.#stdio.close();
  }

  /** @param {Message} message */
  #received(message) {
    if (isJSONRPCRequest(message)) this.#ask(message);
    else if (isJSONRPCNotification(message)) this.#tell(message);
    else this.#pass(message, "an answer to the server");
  }

  /** @param {Request} request */
  #ask(request) {
    if (this.#waiting.has(request.id)) {
      this.#log(`the id ${JSON.stringify(request.id)} is in use: the second request with it is dropped`);
      return;
    }
    const controller = new AbortController();
    const waiting = { request, controller, signal: controller.signal, unwanted: false, sent: false };
    this.#waiting.set(request.id, waiting);
    const answered = this.#answer(waiting).finally(() => this.#waiting.delete(request.id));
    if (isInitialize(request)) this.#opening = answered;
  }

  /** @param {Waiting} waiting */
  async #answer(waiting) {
    const { request } = waiting;
    await this.#opening;
    const counts = !staysOpen(request);
    if (counts) await this.#place();
    try {
      if (waiting.unwanted) return;
      waiting.sent = true;
      const answer = await this.#upstream.request(repeatable(request, this.#readOnly), waiting);
      if (!answer || waiting.signal.aborted) return;
      if (request.method === "tools/list" && isJSONRPCResultResponse(answer)) {
        for (const name of readOnlyTools(answer.result)) this.#readOnly.add(name);
      }
      this.#write(answer);
    } catch (error) {
      const said = explain(error, this.#url);
      this.#log(`${request.method}: ${said.message}`);
      this.#write({ jsonrpc: "2.0", id: request.id, error: said });
    } finally {
      if (counts) this.#leave();
    }
  }

  /** @param {Notification} message */
  #tell(message) {
    const id = cancelledId(message);
    if (id !== undefined && this.#cancel(id)) return;
    const told = this.#pass(message, message.method);
    if (isInitialized(message)) this.#opening = told;
  }

  /**
   * A request that stands alone is cancelled by ending its connection, one of a session by telling the server.
   *
   * @param {string | number} id
   * @returns {boolean} whether the server has nothing to be told
   */
  #cancel(id) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return true;
    waiting.unwanted = true;
    if (!standsAlone(waiting.request)) return !waiting.sent;
    waiting.controller.abort();
    return true;
  }

  /**
   * @param {Message} message
   * @param {string} what
   */
  async #pass(message, what) {
    await this.#opening;
    await this.#upstream.tell(message).catch((error) => {
      if (!this.#closed) this.#log(`${what}: not delivered: ${reason(error)}`);
    });
  }

  async #place() {
    const place = this.#places.take();
    if (this.#places.waiting >= MOST_WAITING) this.#stdin.pause();
    await place;
  }

  #leave() {
    this.#places.leave();
    if (!this.#closed && this.#stdin.isPaused() && this.#places.waiting < MOST_WAITING / 2) this.#stdin.resume();
  }

  /** @param {Message} message */
  #write(message) {
    if (this.#closed) return;
    const written = this.#stdio
      .send(message)
      .catch(() => {}) // It has closed, and that ends everything.
      .finally(() => this.#writes.delete(written));
    this.#writes.add(written);
  }

  /** Resolves when the client has taken all that was written. */
  async #taken() {
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }
}
