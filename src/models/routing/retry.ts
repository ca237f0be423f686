import type { WaypostError } from "../../errors.ts";
import { ProviderRefusal } from "../provider_refusal.ts";

/** What to do after a failed try: the same model again after a pause, the next model, or give up. */
export type Verdict = { kind: "again"; waitMs: number } | { kind: "next" } | { kind: "stop" };

export interface Failure {
  error: WaypostError;
  /** Tries at this model so far, this one included. */
  tries: number;
  /** Milliseconds until the call must have answered. */
  leftMs: number;
}

const RETRIES = 2;
/** The pause before the first retry is up to this long, before the second up to twice as long. */
const BASE_MS = 250;
/** A provider that asks for a longer pause is not waited for: another model may answer at once. */
const MOST_WAIT_MS = 5_000;
/** Time an answer needs at least: with less left there is no other try. */
const ANSWER_MS = 500;

/** Statuses by which a provider refuses whoever runs this server, not the request: no key, no money, no such model. */
const OURS = new Set([401, 402, 403, 404, 429]);

/** Pure: the jitter comes from `random`, in [0, 1). */
export function judge({ error, tries, leftMs }: Failure, random: () => number): Verdict {
  switch (error.code) {
    case "provider_busy":
    case "provider_failed":
    case "provider_unreachable":
    case "provider_timeout":
      break;
    case "provider_refused":
      return isOurs(error) && leftMs > ANSWER_MS ? { kind: "next" } : { kind: "stop" };
    default:
      return { kind: "stop" };
  }
  if (leftMs <= ANSWER_MS) return { kind: "stop" };
  // Silence has cost the caller a long wait already: once more is enough.
  if (tries > (error.code === "provider_timeout" ? 1 : RETRIES)) return { kind: "next" };
  // What the provider asked for, and on top of it a random part of a step, so that callers do not all come back at once.
  const asked = error instanceof ProviderRefusal ? (error.waitS ?? 0) * 1000 : 0;
  const waitMs = asked + Math.floor(random() * BASE_MS * 2 ** (tries - 1));
  return asked > MOST_WAIT_MS || waitMs + ANSWER_MS > leftMs ? { kind: "next" } : { kind: "again", waitMs };
}

const isOurs = (error: WaypostError): boolean => error instanceof ProviderRefusal && OURS.has(error.providerStatus);
