import { setTimeout as sleep } from "node:timers/promises";
import { DIGEST_CALLS, type Digest, difference, Expected } from "./books.ts";
import { fault } from "./check.ts";
import { type Answer, Connection, type NoAnswer } from "./connection.ts";
import { type Input, isComplete } from "./input.ts";
import { refusalOf } from "./refusal.ts";
import type { Caller, World } from "./world.ts";

export interface Fault {
  input: Input;
  lane: number;
  why: string;
}

/** The books are looked at after so many inputs. */
const STRETCH = 20;
/**
 * The books must stand still for so long before it is believed that nothing runs any more for a client that left, and for so
 * many times as long as they took to be read: on a busy machine everything comes late.
 */
const LULL_MS = 250;
const LULL_READS = 20;

/** One caller who sends inputs, one after the other, over one connection, and holds every answer to what must be. */
export class Lane {
  readonly caller: Caller;
  /** Answers by status, for the report. */
  readonly statuses = new Map<number | string, number>();
  /** Refusals by code. */
  readonly codes = new Map<string, number>();
  readonly #world: World;
  readonly #connection: Connection;
  readonly #asking: Connection;
  #before: Digest | null = null;
  #stretch: Input[] = [];
  /** What came of each of them, for a fault that none of them does alone. */
  #told: string[] = [];
  #expected = new Expected();
  /** Something was sent whole of which no end was seen: it may be read, counted and charged at any time. */
  #unseen = false;

  constructor(world: World, caller: Caller) {
    this.#world = world;
    this.caller = caller;
    this.#connection = new Connection(world.port);
    this.#asking = new Connection(world.port);
  }

  close(): void {
    this.#connection.close();
    this.#asking.close();
  }

  /** Sends one input. The books are compared now and then; what a stretch did wrong is asked of each of its inputs again. */
  async send(input: Input): Promise<Fault[]> {
    this.#before ??= await this.#digest(new Expected());
    const faults: Fault[] = [];
    const why = await this.#one(input, this.#expected);
    if (why) faults.push(this.#fault(input, why));
    this.#stretch.push(input);
    if (this.#stretch.length >= STRETCH) faults.push(...(await this.settle()));
    return faults;
  }

  /** Compares the books with what the inputs since the last time said of themselves. */
  async settle(): Promise<Fault[]> {
    const [before, stretch, expected, told] = [this.#before, this.#stretch, this.#expected, this.#told];
    if (!before || stretch.length === 0) return [];
    const after = await this.#digest(expected);
    this.#begin(after);
    const why = difference(before, after, expected);
    if (!why) return [];
    for (const input of stretch) {
      const again = await this.suspect(input);
      if (again) return [this.#fault(input, again)];
    }
    const alone = `${why}; none of the last ${stretch.length} inputs does it alone`;
    return [this.#fault(stretch.at(-1) as Input, `${alone}\n${told.join("\n")}`)];
  }

  /** Sends one input by itself and says what is wrong with its answer or with what it did; null when nothing is. */
  async suspect(input: Input): Promise<string | null> {
    const before = await this.#digest(new Expected());
    const expected = new Expected();
    const why = await this.#one(input, expected);
    const after = await this.#digest(expected);
    this.#begin(after);
    return why ?? difference(before, after, expected);
  }

  #begin(digest: Digest): void {
    this.#before = digest;
    this.#stretch = [];
    this.#told = [];
    this.#expected = new Expected();
  }

  #fault(input: Input, why: string): Fault {
    return { input, lane: this.caller.lane, why };
  }

  async #one(input: Input, expected: Expected): Promise<string | null> {
    const answer: Answer | NoAnswer = await this.#connection.send(input);
    const status = answer.missing ?? answer.status;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    const code = answer.missing === null ? refusalOf(input.surface, answer)?.code : undefined;
    if (code) this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (answer.again) expected.add(input, null, this.#world.readOnly);
    if (answer.missing === null) expected.add(input, answer, this.#world.readOnly);
    else if (isComplete(input)) expected.add(input, null, this.#world.readOnly);
    if (answer.again || (answer.missing === null ? answer.leftOpen && !input.mayStayOpen : isComplete(input))) {
      this.#unseen = true;
    }
    this.#told.push(`#${input.n} ${input.method} ${input.target.slice(0, 80)}: ${status}${code ? ` ${code}` : ""}`);
    const secrets = [...this.#world.secrets, this.caller.key];
    return fault(input, answer, { never: secrets, lane: this.caller.lane });
  }

  /** What is, once it stays so. What is asked on the way is counted too. */
  async #digest(expected: Expected): Promise<Digest> {
    let began = performance.now();
    let digest = await this.#settled(expected);
    for (let tries = 0; this.#unseen && tries < 100; tries++) {
      await sleep(Math.max(LULL_MS, LULL_READS * (performance.now() - began)));
      began = performance.now();
      const asked = expected.calls;
      expected.calls += DIGEST_CALLS;
      const next = await this.#settled(expected);
      this.#unseen =
        difference(digest, { ...next, calls: next.calls + expected.calls - asked }, new Expected(0)) !== null;
      digest = next;
    }
    return digest;
  }

  /** Waits until nothing is held: a call whose client left goes on for a while. */
  async #settled(expected: Expected): Promise<Digest> {
    for (let tries = 0; ; tries++) {
      const sync = await this.#ask("POST", "/v1/sync", { limit: 1, cursor: this.#cursor });
      const balance = await this.#ask("GET", "/v1/balance?recent=0");
      const { epoch, seq } = sync.body.cursor;
      this.#cursor = { epoch, seq };
      const digest = {
        vault: `${epoch}:${seq}`,
        creditNano: balance.body.balance_nano,
        heldNano: balance.body.reserved_nano,
        calls: Number(balance.headers.get("x-ratelimit-remaining")),
      };
      const behind = sync.body.more === true;
      if (!behind && (digest.heldNano === 0 || tries > 100)) return digest;
      expected.calls += DIGEST_CALLS;
      if (!behind) await sleep(50);
    }
  }
  #cursor: { epoch: string; seq: number } | undefined;

  // biome-ignore lint/suspicious/noExplicitAny: a proof reads whatever the server says
  async #ask(method: string, target: string, body?: object): Promise<{ headers: Map<string, string>; body: any }> {
    const headers: Input["headers"] = [
      ["Host", "127.0.0.1"],
      ["Authorization", `Bearer ${this.caller.key}`],
      ["Content-Type", "application/json"],
    ];
    const bytes = body ? Buffer.from(JSON.stringify(body)) : null;
    const plain = {
      framing: { kind: "length", lie: 0 },
      delivery: { kind: "whole" },
      malformed: false,
      mayStayOpen: false,
    } as const;
    const answer = await this.#asking.send({ n: -1, surface: "rest", method, target, headers, body: bytes, ...plain });
    if (answer.missing !== null) throw new Error(`the books are not answered: ${answer.missing} ${answer.detail}`);
    if (answer.status !== 200) {
      throw new Error(`lane ${this.caller.lane} cannot read its books: ${answer.status} ${answer.text}`);
    }
    return { headers: answer.headers, body: JSON.parse(answer.text) };
  }
}
