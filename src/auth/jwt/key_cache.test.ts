import { exportJWK, generateKeyPair, type JWK } from "jose";
import { beforeEach, describe, expect, inject, it } from "vitest";
import type { Behaviour } from "../../../test/upstream/jwks_server.ts";
import { FRESH_MS, KeyCache, REFETCH_GAP_MS, RETRY_GAP_MS, STALE_MS } from "./key_cache.ts";

/** The cache over time, which a clock of its own tells; the keys come over a socket. */
let now = 0;
let cache: KeyCache;
let source: { jwksUrl: string; algorithms: string[] };
let control: string;
let made = 0;

const algorithms = ["ES256"];
const first = { alg: "ES256", kid: "first" };
const second = { alg: "ES256", kid: "second" };

beforeEach(() => {
  now = 1_800_000_000_000;
  cache = new KeyCache(() => now);
  const name = `cache-${crypto.randomUUID().slice(0, 8)}-${++made}`;
  source = { jwksUrl: `${inject("jwksUrl")}/${name}/.well-known/jwks.json`, algorithms };
  control = `${inject("jwksUrl")}/control/${name}`;
});

async function jwk(kid: string): Promise<JWK> {
  const { publicKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(publicKey)), kid };
}

const behave = (behaviour: Behaviour) => fetch(control, { method: "PUT", body: JSON.stringify(behaviour) });
const publish = async (...kids: string[]) =>
  behave({ body: JSON.stringify({ keys: await Promise.all(kids.map(jwk)) }) });
const fetches = async () => ((await (await fetch(control)).json()) as { fetches: number }).fetches;
const failure = (code: string) => expect.objectContaining({ code });

describe("KeyCache", () => {
  it("fetches anew after ten minutes, and forgets what was withdrawn", async () => {
    await publish("first");
    await cache.find(source, first);
    now += FRESH_MS - 1;
    await cache.find(source, first);
    expect(await fetches()).toBe(1);
    await publish("second");
    now += 1;
    await expect(cache.find(source, first)).rejects.toEqual(failure("unauthenticated"));
    await cache.find(source, second);
  });

  it("asks again for an unknown key id after 30 seconds, not before", async () => {
    await publish("first");
    await cache.find(source, first);
    await expect(cache.find(source, second)).rejects.toEqual(failure("unauthenticated"));
    expect(await fetches()).toBe(2);
    await publish("first", "second");
    now += REFETCH_GAP_MS - 1;
    await expect(cache.find(source, second)).rejects.toEqual(failure("unauthenticated"));
    expect(await fetches()).toBe(2);
    now += 1;
    await cache.find(source, second);
    expect(await fetches()).toBe(3);
  });

  it("uses keys for a day while their issuer is down, asking every 30 seconds, and then no longer", async () => {
    await publish("first");
    await cache.find(source, first);
    await behave({ status: 500 });
    now += FRESH_MS;
    for (let i = 0; i < 5; i++) await cache.find(source, first);
    expect(await fetches()).toBe(2);
    now += REFETCH_GAP_MS;
    await cache.find(source, first);
    expect(await fetches()).toBe(3);
    now += STALE_MS - FRESH_MS - REFETCH_GAP_MS - 1;
    await cache.find(source, first);
    now += 1;
    await expect(cache.find(source, first)).rejects.toEqual(failure("unavailable"));
  });

  it("recovers from an outage at the first use within five seconds", async () => {
    await behave({ mode: "reset" });
    await expect(cache.find(source, first)).rejects.toEqual(failure("unavailable"));
    await publish("first");
    now += RETRY_GAP_MS - 1;
    await expect(cache.find(source, first)).rejects.toEqual(failure("unavailable"));
    expect(await fetches()).toBe(1);
    now += 1;
    await cache.find(source, first);
  });

  it("does not wait for a fetch whose request died", async () => {
    await behave({ delay: 400, body: JSON.stringify({ keys: [await jwk("first")] }) });
    const abandoned = cache.find(source, first);
    const waiting = cache.find(source, first);
    // By the clock, the fetch is over its time: whoever comes now starts one of their own.
    now += 6_000;
    await cache.find(source, first);
    expect(await fetches()).toBe(2);
    await Promise.all([abandoned, waiting]);
  });

  it("keeps the keys of two issuers apart", async () => {
    await publish("first");
    const other = { ...source, jwksUrl: source.jwksUrl.replace("cache-", "other-cache-") };
    await cache.find(source, first);
    await expect(cache.find(other, first)).rejects.toEqual(failure("unavailable"));
  });
});
