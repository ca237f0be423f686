import type { ErrorCode, Result } from "../../src/errors.ts";
import type {
  Change,
  Cursor,
  Mutation,
  MutationOutcome,
  PullReply,
  PullRequest,
  PushReply,
  PushRequest,
} from "../../src/vault/types.ts";

/** What a device sees of the network: null means that no answer came. */
export interface Network {
  push(request: PushRequest): Promise<Result<PushReply> | null>;
  pull(request: PullRequest): Promise<Result<PullReply> | null>;
  newDeviceId(): string;
}

type Unsent<M> = M extends Mutation ? Omit<M, "id"> : never;

/** Everything a device keeps on disk; cloning a device or restoring it from a backup copies this. */
interface DeviceState {
  id: string;
  counter: number;
  cursor: Cursor | undefined;
  replica: Map<string, Change>;
  queue: Mutation[];
}

/** A minimal correct client of the protocol: replica, queue, retry with the same ids, new identity when forked. */
export class SyncDevice {
  readonly state: DeviceState;

  constructor(state: string | DeviceState) {
    this.state =
      typeof state === "string"
        ? { id: state, counter: 0, cursor: undefined, replica: new Map(), queue: [] }
        : structuredClone(state);
  }

  get baseSeq(): number {
    return this.state.cursor?.seq ?? 0;
  }

  sessions(): string[] {
    const live = [...this.state.replica.values()].filter((each) => each.kind === "session" && !each.deleted);
    const own = this.state.queue.filter((each) => each.kind === "session.create").map((each) => each.session_id);
    return [...new Set([...live.map((each) => each.id), ...own])];
  }

  enqueue(mutation: Unsent<Mutation>): void {
    this.state.queue.push({ ...mutation, id: this.#nextId() } as Mutation);
  }

  /** Pushes up to `most` mutations. Returns what was acknowledged, with the outcomes; null when nothing was. */
  async push(network: Network, most: number): Promise<{ mutation: Mutation; outcome: MutationOutcome }[] | null> {
    const batch = this.state.queue.slice(0, most);
    if (!batch.length) return [];
    const reply = await network.push({ device_id: this.state.id, mutations: batch, cursor: this.state.cursor });
    if (reply === null) return null;
    if (!reply.ok) return this.#recover(reply.code, network);
    this.state.queue.splice(0, batch.length);
    return batch.map((mutation, i) => ({ mutation, outcome: reply.value.outcomes[i] as MutationOutcome }));
  }

  /** Pulls one page. Returns true when the replica is up to date. */
  async pull(network: Network, limit: number): Promise<boolean> {
    const reply = await network.pull({ cursor: this.state.cursor, limit });
    if (reply === null) return false;
    if (!reply.ok) throw new Error(`pull failed: ${reply.code}`);
    for (const change of reply.value.changes) this.state.replica.set(`${change.kind}/${change.id}`, change);
    this.state.cursor = reply.value.cursor;
    return !reply.value.more;
  }

  #recover(code: ErrorCode, network: Network): null {
    if (code !== "client_forked") throw new Error(`push failed: ${code}`);
    this.state.id = network.newDeviceId();
    this.state.queue = this.state.queue.map((mutation) => ({ ...mutation, id: this.#nextId() }));
    return null;
  }

  // Counted, not random: clones then reuse each other's ids, which is the case to survive.
  #nextId(): string {
    this.state.counter += 1;
    return `mut-${this.state.counter}`;
  }
}
