/** Plain values only: what one request leaves here another one reads. */
interface Circuit {
  /** Failures in a row. */
  failures: number;
  /** When the first of them happened; ms since the epoch, like all times here. */
  since: number;
  /** Nobody is let through before; 0 while the circuit is closed. */
  openUntil: number;
  /** Until when somebody's probe is waited for; 0 when there is none. */
  probeUntil: number;
}

export interface Pass {
  /** Milliseconds until the provider may be asked; 0 = now. */
  waitMs: number;
  /** This call finds out whether the provider has recovered. */
  probe: boolean;
}

const FREE: Pass = { waitMs: 0, probe: false };
const PROBE: Pass = { waitMs: 0, probe: true };

const FAILURES = 5;
const WINDOW_MS = 30_000;
const OPEN_MS = 15_000;
/** A probe that was never answered for, because its call was torn down, blocks no longer than a call can last. */
const PROBE_MS = 120_000;
/** Circuits kept; the one that changed longest ago gives way. */
const MOST = 10_000;

/**
 * Keeps a provider that fails one account from being asked by it again and again: five failures in a row within 30 s open
 * its circuit for 15 s. Then one call goes through as a probe; what becomes of it closes the circuit or opens it again.
 * An isolate knows what its own calls met.
 */
export class Breakers {
  readonly #circuits = new Map<string, Circuit>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get size(): number {
    return this.#circuits.size;
  }

  /** Where a pass is given (`waitMs` 0), its outcome must be told with one of the methods below. */
  ask(key: string): Pass {
    const circuit = this.#circuits.get(key);
    if (!circuit || circuit.openUntil === 0) return FREE;
    const now = this.#now();
    if (circuit.openUntil > now) return { waitMs: circuit.openUntil - now, probe: false };
    if (circuit.probeUntil > now) return { waitMs: Math.min(circuit.probeUntil - now, OPEN_MS), probe: false };
    circuit.probeUntil = now + PROBE_MS;
    return PROBE;
  }

  succeeded(key: string): void {
    this.#circuits.delete(key);
  }

  failed(key: string, { probe }: Pass): void {
    const now = this.#now();
    const known = this.#circuits.get(key);
    const fresh = !known || (known.openUntil === 0 && now - known.since > WINDOW_MS);
    const circuit = fresh ? { failures: 0, since: now, openUntil: 0, probeUntil: 0 } : known;
    circuit.failures++;
    // A call that began before the circuit opened tells nothing new.
    if (probe || (circuit.openUntil === 0 && circuit.failures >= FAILURES)) circuit.openUntil = now + OPEN_MS;
    if (probe) circuit.probeUntil = 0;
    this.#keep(key, circuit);
  }

  /** The outcome says nothing of the provider's health, e.g. the caller left. */
  undecided(key: string, { probe }: Pass): void {
    const circuit = probe ? this.#circuits.get(key) : undefined;
    if (circuit) circuit.probeUntil = 0;
  }

  clear(): void {
    this.#circuits.clear();
  }

  /** A Map lists its keys as they were put in: the first is the one that changed longest ago. */
  #keep(key: string, circuit: Circuit): void {
    this.#circuits.delete(key);
    this.#circuits.set(key, circuit);
    if (this.#circuits.size <= MOST) return;
    const oldest = this.#circuits.keys().next();
    if (!oldest.done) this.#circuits.delete(oldest.value);
  }
}

/** The circuits of this isolate, by `circuitOf`. */
export const breakers = new Breakers();

export const circuitOf = (account: string, provider: string): string => `${account}\n${provider}`;
