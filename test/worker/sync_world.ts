import { abortAllDurableObjects } from "cloudflare:test";
import { unwrap } from "../../src/errors.ts";
import type {
  Message,
  Mutation,
  MutationOutcome,
  PullRequest,
  PushRequest,
  SessionContext,
  VaultApi,
} from "../../src/vault/types.ts";
import { randomFrom } from "../random.ts";
import { type Network, SyncDevice } from "./sync_device.ts";
import { message } from "./vault.ts";

/** A value that some device gave to a field of a session. */
export interface ProposedValue {
  session: string;
  field: string;
  value: unknown;
}

/**
 * Several devices, a chat and a bad network around one real vault, driven by a seed. Keeps books of what was
 * acknowledged, so that a test can compare them with what is stored.
 */
export class SyncWorld implements Network {
  readonly devices: SyncDevice[] = [];
  readonly acknowledged: { session: string; messages: Message[] }[] = [];
  readonly values: ProposedValue[] = [];
  readonly returned: string[] = [];
  readonly removals = new Set<string>();
  readonly delivered: PushRequest[] = [];
  readonly firstOutcomes = new Map<string, MutationOutcome>();
  readonly faults = {
    dropped: 0,
    unanswered: 0,
    duplicated: 0,
    delayed: 0,
    clones: 0,
    restores: 0,
    forks: 0,
    crashes: 0,
  };
  readonly #open: () => VaultApi;
  readonly #random: () => number;
  readonly #delayed: PushRequest[] = [];
  readonly #backups: SyncDevice["state"][] = [];
  #vault: VaultApi;
  #healed = false;
  #counter = 0;

  constructor(open: () => VaultApi, seed: number) {
    this.#open = open;
    this.#vault = open();
    this.#random = randomFrom(seed);
    for (let i = 0; i < 3; i++) this.devices.push(new SyncDevice(`device-${i}`));
  }

  /** One random thing happens. */
  async step(): Promise<void> {
    const device = this.#pick(this.devices);
    const dice = this.#random();
    if (dice < 0.5) this.#edit(device);
    else if (dice < 0.85) await this.#sync(device);
    else if (dice < 0.92) await this.#chat(device);
    else if (dice < 0.95) await this.#deliverDelayed();
    else if (dice < 0.99) this.#copy(device);
    else await this.#crash();
  }

  /** The network works again; everyone syncs until nothing is left to send or fetch. Returns the rounds it took. */
  async heal(): Promise<number> {
    this.#healed = true;
    for (let round = 1; round <= 20; round++) {
      for (const device of this.devices) await this.#sync(device);
      const head = unwrap(await this.#vault.ping()).seq;
      if (this.devices.every((device) => !device.state.queue.length && device.baseSeq === head)) return round;
    }
    throw new Error("the devices never came to rest");
  }

  newDeviceId(): string {
    this.faults.forks += 1;
    return this.#next("device");
  }

  async push(request: PushRequest) {
    const fate = this.#healed ? 1 : this.#random();
    if (fate < 0.15) {
      this.faults.dropped += 1;
      return null;
    }
    if (fate < 0.25) {
      this.faults.delayed += 1;
      this.#delayed.push(structuredClone(request));
      return null;
    }
    const reply = await this.#deliver(request);
    if (fate < 0.4) {
      // The vault has committed; the device crashes or loses the connection before it hears of it.
      this.faults.unanswered += 1;
      return null;
    }
    if (fate < 0.5) {
      this.faults.duplicated += 1;
      await this.#deliver(request);
    }
    return reply;
  }

  async pull(request: PullRequest) {
    if (!this.#healed && this.#random() < 0.2) return null;
    return this.#vault.pull(request);
  }

  async #deliver(request: PushRequest) {
    const reply = await this.#vault.push(request);
    if (!reply.ok) return reply;
    this.delivered.push(structuredClone(request));
    for (const outcome of reply.value.outcomes) {
      const key = `${request.device_id}/${outcome.id}`;
      if (!this.firstOutcomes.has(key)) this.firstOutcomes.set(key, outcome);
    }
    return reply;
  }

  async #deliverDelayed(): Promise<void> {
    const [request] = this.#delayed.splice(Math.floor(this.#random() * this.#delayed.length), 1);
    if (request) await this.#deliver(request);
  }

  async #sync(device: SyncDevice): Promise<void> {
    const answer = await device.push(this, 1 + Math.floor(this.#random() * 6));
    for (const { mutation, outcome } of answer ?? []) this.#book(mutation, outcome);
    const limit = 1 + Math.floor(this.#random() * 20);
    for (let page = 0; page < 200; page++) if (await device.pull(this, limit)) break;
  }

  #book(mutation: Mutation, outcome: MutationOutcome): void {
    const session = mutation.session_id;
    const done = outcome.status === "applied" || outcome.status === "duplicate";
    if (mutation.kind === "message.append") {
      if (done) this.acknowledged.push({ session, messages: mutation.messages });
      else if (outcome.status === "conflict") this.returned.push(...(outcome.yours.message_ids as string[]));
      else if (!outcome.detail.startsWith("There is no session")) throw new Error(outcome.detail);
    } else if (mutation.kind === "session.create" || mutation.kind === "session.update") {
      const toTombstone = outcome.status === "conflict" && outcome.server.deleted === true;
      if (outcome.status !== "refused" && !toTombstone) this.values.push(...valuesOf(mutation));
    }
  }

  #edit(device: SyncDevice): void {
    const sessions = device.sessions();
    const dice = this.#random();
    if (!sessions.length || dice < 0.1) {
      const title = this.#random() < 0.5 ? { title: this.#next("title") } : {};
      device.enqueue({ kind: "session.create", session_id: this.#next("session"), ...title });
      return;
    }
    const session_id = this.#pick(sessions);
    const base_seq = device.baseSeq;
    if (dice < 0.55) {
      const messages = Array.from({ length: 1 + Math.floor(this.#random() * 3) }, () => message(this.#next("message")));
      device.enqueue({ kind: "message.append", session_id, messages });
    } else if (dice < 0.75) {
      device.enqueue({ kind: "session.update", session_id, base_seq, title: this.#next("title") });
    } else if (dice < 0.92) {
      const context: SessionContext = { framing: this.#next("framing") };
      if (this.#random() < 0.5) context.constraints = [this.#next("constraint")];
      device.enqueue({ kind: "session.update", session_id, base_seq, context });
    } else {
      const kind = this.#random() < 0.5 ? "session.clear" : "session.delete";
      this.removals.add(session_id);
      device.enqueue({ kind, session_id, base_seq });
    }
  }

  async #chat(device: SyncDevice): Promise<void> {
    const sessions = device.sessions();
    if (!sessions.length) return;
    const turn = [message(this.#next("asked")), message(this.#next("answered"), { role: "assistant" })];
    const request = { session_id: this.#pick(sessions), messages: turn, create: false };
    const replies = [await this.#vault.appendTurn(request), await this.#vault.appendTurn(request)];
    if (replies[0]?.ok) this.acknowledged.push({ session: request.session_id, messages: turn });
    if (JSON.stringify(replies[0]) !== JSON.stringify(replies[1]))
      throw new Error("a repeated turn answered otherwise");
  }

  #copy(device: SyncDevice): void {
    const dice = this.#random();
    if (dice < 0.3 && this.devices.length < 6) {
      this.faults.clones += 1;
      this.devices.push(new SyncDevice(device.state));
    } else if (dice < 0.6) {
      this.#backups.push(structuredClone(device.state));
    } else if (this.#backups.length) {
      // The machine that was backed up is gone, with what it had not sent; the copy starts from the old state.
      const backup = this.#pick(this.#backups);
      const index = this.devices.findIndex(({ state }) => state.id === backup.id);
      if (index === -1) return;
      this.faults.restores += 1;
      this.devices[index] = new SyncDevice(backup);
    }
  }

  async #crash(): Promise<void> {
    this.faults.crashes += 1;
    await abortAllDurableObjects();
    this.#vault = this.#open();
  }

  #next(what: string): string {
    this.#counter += 1;
    return `${what}-${this.#counter}`;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }
}

function valuesOf(mutation: Extract<Mutation, { kind: "session.create" | "session.update" }>): ProposedValue[] {
  const { title, context } = mutation;
  const fields = { title, framing: context?.framing, constraints: context?.constraints };
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => ({ session: mutation.session_id, field, value }));
}
