import { randomFrom } from "../random.ts";

/** Repeatable choices: the same seed and number of an input give the same input. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number, n: number) {
    this.#next = randomFrom(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35));
    this.#next();
  }

  /** A whole number in [0, below). */
  int(below: number): number {
    return Math.floor(this.#next() * below);
  }
  chance(probability: number): boolean {
    return this.#next() < probability;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)] as T;
  }
  /** A choice by weight. */
  weighted<T>(from: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.#next() * from.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of from) {
      left -= weight;
      if (left < 0) return value;
    }
    return (from.at(-1) as readonly [number, T])[1];
  }
}
