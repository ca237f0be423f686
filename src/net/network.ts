import type { Env } from "../env.ts";

/**
 * How requests to providers leave. On the runtime of `npm start` each `fetch()` goes through a Worker of that runtime, which
 * makes a second request of it and adds a header; the binding leads past it. Elsewhere nothing stands between.
 */
export function networkOf({ NETWORK: network }: Pick<Env, "NETWORK">): typeof fetch {
  // Never the global itself: it may not be called as a method of something else.
  return network
    ? (input: RequestInfo | URL, init?: RequestInit) => network.fetch(input, init)
    : (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init);
}
