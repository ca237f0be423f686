import { DiskFailure } from "./storage.ts";

interface Timer {
  id: number;
  at: number;
  run: () => void;
}

interface Task {
  label: string;
  run: () => void;
}

/**
 * Time and everything that takes some: the clock moves only when the simulation says so, and what is under way (a sync, a
 * request, an answer) ends when the simulation picks it. Between two steps everything that can run has run.
 */
export class Clock {
  now: number;
  /** The furthest it ever was: it also steps back. */
  latest: number;
  #timers: Timer[] = [];
  #tasks: Task[] = [];
  #ids = 0;
  /** Called before a timer of the program under test is set. */
  onTimer: () => void = () => {};

  constructor(now: number) {
    this.now = now;
    this.latest = now;
  }

  /** Puts the timers of the program under test on this clock. Returns what puts them back. */
  install(): () => void {
    const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
    const later = (run: () => void, ms = 0): number => {
      this.onTimer();
      this.#timers.push({ id: ++this.#ids, at: this.now + ms, run });
      return this.#ids;
    };
    const cancel = (id: number): void => {
      this.#timers = this.#timers.filter((timer) => timer.id !== id);
    };
    Object.assign(globalThis, { setTimeout: later, clearTimeout: cancel });
    return () => Object.assign(globalThis, real);
  }

  /** Something under way. Ends when it is picked. */
  under(label: string): Promise<void> {
    return new Promise((resolve) => this.#tasks.push({ label, run: resolve }));
  }

  get busy(): number {
    return this.#tasks.length;
  }

  isUnder(label: string): boolean {
    return this.#tasks.some((task) => task.label === label);
  }

  /** How much is under way beside what has this label. */
  busyBeside(label: string): number {
    return this.#tasks.filter((task) => task.label !== label).length;
  }

  /** Ends one of the things under way, of those with a label if one is given; `choice` is in [0, 1). */
  async finish(choice: number, which: (label: string) => boolean = () => true): Promise<string> {
    const open = this.#tasks.filter(({ label }) => which(label));
    const task = open[Math.floor(choice * open.length)];
    this.#tasks = this.#tasks.filter((other) => other !== task);
    task?.run();
    await settled();
    return task?.label ?? "nothing";
  }

  /** Drops the timers and unfinished work of an object that ended. */
  forget(label: string): void {
    this.#timers = [];
    this.#tasks = this.#tasks.filter((task) => !task.label.startsWith(label));
  }

  /** When the next timer is due. */
  get next(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#timers.map(({ at }) => at));
  }

  async advance(to: number): Promise<void> {
    this.now = to;
    this.latest = Math.max(this.latest, to);
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      try {
        due.run();
      } catch (error) {
        // Of an object that was told it is broken, or has ended: in the runtime nothing of it would run.
        if (!(error instanceof DiskFailure)) throw error;
      }
      await settled();
    }
  }
}

/** Resolves when everything that can run has run. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
