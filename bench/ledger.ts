import { latency, quantile } from "./lib/load.ts";
import { bundle, serve } from "./lib/workerd.ts";

const ENTRIES = 1_000_000;
const CALLS = 10;
const TURNS = 60;

/**
 * Time of priced calls (admitted with a hold, settled on disk) in a ledger of a million entries, over that in an empty one.
 * They take turns, a few calls at a time, so that what else the machine does falls on both. One ratio of medians a round.
 */
export async function longLedger(rounds: number): Promise<{ ratios: number[]; detail: string }> {
  const server = await serve(bundle("ledger"), { LEDGER: { className: "FilledLedger", useSQLite: true } });
  try {
    const ask = async (path: string, expected: number) => {
      const text = await (await fetch(server.url + path)).text();
      if (Number(text) !== expected) throw new Error(`${path} answered ${text}, not ${expected}`);
    };
    await ask(`/long/prepare?entries=${ENTRIES}`, ENTRIES);
    await ask("/empty/prepare?entries=0", 0);
    const path = (account: string) => `/${account}/calls?count=${CALLS}`;
    const once = async (account: string) => (await latency({ name: account, url: server.url + path(account) }, 1)).p50;
    const taken: { long: number; empty: number }[] = [];
    for (let round = -1; round < rounds; round++) {
      for (const account of ["long", "empty"]) await ask(path(account), CALLS);
      const long: number[] = [];
      const empty: number[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        long.push(await once("long"));
        empty.push(await once("empty"));
      }
      // The first round warms up.
      if (round >= 0) taken.push({ long: quantile(long, 0.5) / CALLS, empty: quantile(empty, 0.5) / CALLS });
    }
    const middle = (side: "long" | "empty") =>
      quantile(
        taken.map((round) => round[side]),
        0.5,
      ).toFixed(3);
    return {
      ratios: taken.map(({ long, empty }) => long / empty),
      detail: `${middle("long")} / ${middle("empty")} ms a call`,
    };
  } finally {
    await server.stop();
  }
}
