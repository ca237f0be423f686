import autocannon from "autocannon";
import { Wire } from "./wire.ts";

/** One request, repeated. */
export interface Target {
  name: string;
  url: string;
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
}

export interface Round {
  rps: number;
  p50: number;
  p99: number;
}

/** Repeats a request from a number of connections; any answer but 2xx fails the benchmark. */
export async function load(target: Target, connections: number, seconds: number): Promise<Round> {
  const { url, method = "GET", headers = {}, body } = target;
  const result = await autocannon({ url, method, headers, connections, duration: seconds, ...(body ? { body } : {}) });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${target.name}: ${result.non2xx} answers were not 2xx, ${result.errors} requests failed`);
  }
  return { rps: result["2xx"] / result.duration, p50: result.latency.p50, p99: result.latency.p99 };
}

/** One request after another over one connection, for latencies finer than a millisecond. */
export async function latency(target: Target, count: number): Promise<{ p50: number; p99: number }> {
  const { name, url, method = "GET", headers = {}, body } = target;
  const wire = await Wire.open(url, method, headers, body);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const { status, totalMs } = await wire.ask();
    if (status < 200 || status > 299) throw new Error(`${name}: status ${status}`);
    times.push(totalMs);
  }
  wire.close();
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
