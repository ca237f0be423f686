import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { LISTENING } from "./event_log.ts";

type Send = WebStandardStreamableHTTPServerTransport["send"];
type Message = Parameters<Send>[0];
type Id = string | number;

/** The SDK's transport with what a session needs to know of it: which requests run, and how many streams are open. */
export class SessionTransport extends WebStandardStreamableHTTPServerTransport {
  readonly #running = new Set<Id>();
  /** Adds to an error what the catalogue says of it. */
  explain: (message: Message) => Message = (message) => message;

  /** Requests that were not answered yet. */
  get running(): number {
    return this.#running.size;
  }

  /** Private to the SDK's class, which tells it in no other way. */
  get #streams(): ReadonlyMap<string, unknown> {
    return (this as unknown as { _streamMapping: ReadonlyMap<string, unknown> })._streamMapping;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Whether the client has a stream on which it hears what belongs to no request. */
  get isHeard(): boolean {
    return this.#streams.has(LISTENING);
  }

  isRunning(id: Id): boolean {
    return this.#running.has(id);
  }

  began(id: Id): void {
    this.#running.add(id);
  }

  /** A request that was refused before it ran. */
  refused(id: Id): void {
    this.#running.delete(id);
  }

  /** Answers a request that its client cancelled: the SDK never would, and the stream would stay open. */
  async cancelled(id: Id): Promise<void> {
    if (!this.#running.has(id)) return;
    await this.send({ jsonrpc: "2.0", id, error: { code: -32_000, message: "The request was cancelled." } });
  }

  override async send(...[message, options]: Parameters<Send>): Promise<void> {
    if (!isJSONRPCResultResponse(message) && !isJSONRPCErrorResponse(message)) return super.send(message, options);
    if (message.id !== undefined && !this.#running.delete(message.id)) return;
    return super.send(isJSONRPCErrorResponse(message) ? this.explain(message) : message, options);
  }
}
