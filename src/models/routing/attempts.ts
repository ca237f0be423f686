import { type ErrorCode, WaypostError } from "../../errors.ts";
import type { NotAnswered } from "../../ledger/types.ts";
import { ProviderRefusal } from "../provider_refusal.ts";
import type { ChatModel } from "../types.ts";
import { type Breakers, breakers, circuitOf, type Pass } from "./breaker.ts";
import { judge } from "./retry.ts";

/** One try at a model and what came of it. */
export interface Attempt {
  model: string;
  outcome: "ok" | NotAnswered;
}

/** What the call is to those who try. */
export interface TryingCall {
  account: string;
  /** Milliseconds since the epoch at which the call must have answered. */
  deadline: number;
  /** Aborted when no further try is worth it; asked for after a failure only. */
  readonly signal: AbortSignal;
  /** Told of each model that is not asked, since its provider's circuit is open. */
  passedOver?(model: string): void;
}

/** What time and chance are made of; tests bring their own. */
export interface World {
  now(): number;
  random(): number;
  /** Resolves after the pause, or at once when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  breakers: Breakers;
}

const REAL: World = { now: Date.now, random: Math.random, sleep, breakers };

/** A try that ended the call for good: a part of its answer was delivered, so another answer must not follow. */
export class Delivered extends WaypostError {}

/**
 * Asks the models one after the other until one answers, each again after a pause where that may help.
 * `attempt` throws a `Delivered` when words of the answer have reached the caller, any other WaypostError when none have.
 * @throws WaypostError the last failure, with `attempts` in its extras when there were several
 */
export async function untilAnswered<T, M extends Pick<ChatModel, "info">>(
  models: readonly M[],
  call: TryingCall,
  attempt: (model: M) => Promise<T>,
  world: World = REAL,
): Promise<{ answer: T; model: M; attempts: Attempt[] }> {
  const attempts: Attempt[] = [];
  let last: WaypostError | undefined;
  for (const model of models) {
    const { id, provider } = model.info;
    const circuit = circuitOf(call.account, provider);
    for (let tries = 1; ; tries++) {
      const pass = world.breakers.ask(circuit);
      if (pass.waitMs > 0) {
        last ??= paused(provider, pass.waitMs);
        // Its failures in this call tell why already.
        if (tries > 1) break;
        attempts.push({ model: id, outcome: "passed_over" });
        call.passedOver?.(id);
        break;
      }
      try {
        const answer = await attempt(model);
        world.breakers.succeeded(circuit);
        attempts.push({ model: id, outcome: "ok" });
        return { answer, model, attempts };
      } catch (error) {
        const { signal } = call;
        tell(world.breakers, circuit, pass, signal.aborted ? undefined : error);
        if (!(error instanceof WaypostError)) throw error;
        attempts.push({ model: id, outcome: error.code });
        last = error;
        if (error instanceof Delivered || signal.aborted) throw withAttempts(error, attempts);
        const leftMs = call.deadline - world.now();
        const verdict = judge({ error, tries, leftMs }, world.random);
        if (verdict.kind === "stop") throw withAttempts(error, attempts);
        if (verdict.kind === "next") break;
        await world.sleep(verdict.waitMs, signal);
        if (signal.aborted) throw withAttempts(error, attempts);
      }
    }
  }
  if (!last) throw new Error("a route without models");
  throw withAttempts(last, attempts);
}

/** Whether a failure speaks of the provider's health. One that refuses a request is well; one that is busy may be. */
function tell(all: Breakers, circuit: string, pass: Pass, error: unknown): void {
  const code = error instanceof WaypostError ? error.code : undefined;
  if (code === "provider_failed" || code === "provider_unreachable" || code === "provider_timeout") {
    all.failed(circuit, pass);
  } else if (code === "provider_refused" || code === "context_too_long" || isTheirs(code, error)) {
    all.succeeded(circuit);
  } else all.undecided(circuit, pass);
}

/** Said by the provider of a request that it does not accept: of the same word of ours it knows nothing. */
const isTheirs = (code: ErrorCode | undefined, error: unknown): boolean =>
  code === "invalid_input" && error instanceof ProviderRefusal;

function paused(provider: string, waitMs: number): WaypostError {
  const retry_after = Math.ceil(waitMs / 1000);
  const detail = `Provider ${provider} failed several times in a row, so it is not asked for ${retry_after} s.`;
  return new WaypostError("provider_failed", detail, { retry_after });
}

function withAttempts(error: WaypostError, attempts: Attempt[]): WaypostError {
  if (attempts.length > 1) error.extras.attempts = attempts;
  return error;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
