import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Hono's trie router, which remembers what it found for a path that is a route as it stands. Looking a path up anew costs a
 * small call more than its own work; paths with parameters are not remembered, so there are no more of them than routes.
 */
export class RememberingRouter<T> implements Router<T> {
  readonly name = "RememberingRouter";
  readonly #trie = new TrieRouter<T>();
  readonly #paths = new Set<string>();
  readonly #found = new Map<string, Result<T>>();

  add(method: string, path: string, handler: T): void {
    this.#trie.add(method, path, handler);
    this.#paths.add(path);
    this.#found.clear();
  }

  match(method: string, path: string): Result<T> {
    const key = `${method} ${path}`;
    const known = this.#found.get(key);
    if (known) return known;
    const found = this.#trie.match(method, path);
    if (this.#paths.has(path) && METHODS.has(method)) this.#found.set(key, found);
    return found;
  }
}

/** Anybody may send a method of any name. */
const METHODS = new Set(["GET", "POST", "PATCH", "DELETE"]);
