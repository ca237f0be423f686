import { connect } from "node:net";
import { costNano } from "../../src/ledger/money.ts";
import { estimateTokens } from "../../src/models/tokens.ts";
import { estimateInput } from "../../src/tools/dialects/reading.ts";
import { randomFrom } from "../random.ts";
import type { ServedRequest } from "../upstream/server.ts";
import type { Line, World } from "./drop_in_world.ts";

/**
 * Clients of `/v1/chat/completions` whose socket is destroyed at a random point of the answer. Every prompt has a length of
 * its own, by which a bill is matched with what the provider's log says it sent.
 */

const AT_ONCE = 20;
const PRICE = { input: 3_000_000, output: 15_000_000 };
const CLOUD = 10_300;
/** Pieces that may be on their way when a stream is cut: written by the provider, never read. */
const ON_THE_WAY = 40;

export interface Killed {
  streams: number;
  /** Billed by the provider's report; billed as counted; ended before they reached the provider. */
  exact: number;
  estimated: number;
  never: number;
  /** What is wrong, in words. */
  faults: string[];
}

export async function killStreams(world: World, streams: number, seed: number): Promise<Killed> {
  const random = randomFrom(seed);
  const killed: Killed = { streams, exact: 0, estimated: 0, never: 0, faults: [] };
  for (let at = 0; at < streams; at += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, streams - at) }, (_, i) => at + i);
    world.upstream.log.length = 0;
    await Promise.all(numbers.map((n) => killOne(world, bodyOf(n), random)));
    const lines = await settled(world);
    for (const n of numbers) check(n, lines, world.upstream.log, killed);
    const books = (await world.books()) as { consistent: boolean; reserved_nano: number; open_holds: number };
    if (!books.consistent || books.reserved_nano !== 0 || books.open_holds !== 0)
      killed.faults.push(`the books after ${at + numbers.length} streams: ${JSON.stringify(books)}`);
  }
  return killed;
}

const wordsOf = (n: number): string[] => Array.from({ length: 30 + n }, (_, i) => `tide${n}.${i}`);

const bodyOf = (n: number) => ({
  model: "paid/brisk-words",
  messages: [{ role: "user", content: wordsOf(n).join(" ") }],
  stream: true,
  max_tokens: 4000,
});

/** Asks, and destroys the socket at a random moment from the first byte sent to the last one read. */
function killOne({ waypost }: World, body: object, random: () => number): Promise<void> {
  const { hostname, port, host } = new URL(waypost.url);
  const json = JSON.stringify(body);
  const request = [
    "POST /v1/chat/completions HTTP/1.1",
    `Host: ${host}`,
    `Authorization: Bearer ${waypost.apiKey}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(json)}`,
    "",
    json,
  ].join("\r\n");
  const whole = 6 * json.split(" ").length;
  const after = random() < 0.2 ? random() * 20 : random() * whole;
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.on("error", () => {});
    socket.on("data", () => {});
    setTimeout(() => {
      socket.destroy();
      resolve();
    }, after);
  });
}

/** The newest calls, once as many are booked as reached the provider and nothing is held any more. */
async function settled(world: World): Promise<Line[]> {
  // Asking is a call too, and pushes the oldest out of what is shown.
  const seen = new Map<string, Line>();
  let lines: Line[] = [];
  for (let i = 0; i < 900; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { open_holds } = (await world.books()) as { open_holds: number };
    for (const line of await world.recent()) seen.set(line.id, line);
    lines = [...seen.values()];
    const isBooked = ({ body }: ServedRequest) => lines.some((line) => matches(line, numberIn(body)));
    if (i > 10 && open_holds === 0 && world.upstream.log.every(isBooked)) break;
  }
  return lines;
}

const numberIn = (body: ServedRequest["body"]): number =>
  Number(/tide(\d+)\./.exec(JSON.stringify(body?.messages))?.[1] ?? -1);

/** Tokens of the prompt as the provider counts them, and as they are estimated without its report. */
const exactInput = (n: number): number => wordsOf(n).length + 4;
const matches = (line: Line, n: number): boolean =>
  line.input_tokens === (line.estimated ? estimateInput(bodyOf(n)) : exactInput(n));

function check(n: number, lines: Line[], log: ServedRequest[], killed: Killed): void {
  const served = log.find(({ body }) => numberIn(body) === n);
  const line = lines.find((known) => matches(known, n));
  if (!served) {
    killed.never++;
    if (line) killed.faults.push(`stream ${n} never reached the provider and is billed`);
    return;
  }
  if (!line) {
    killed.faults.push(`stream ${n} reached the provider and is not billed (${served.pieces} pieces)`);
    return;
  }
  const cost = costNano({ input: line.input_tokens, output: line.output_tokens }, PRICE, CLOUD);
  if (line.cost_nano !== cost) killed.faults.push(`stream ${n} costs ${line.cost_nano} and not ${cost}`);
  if (!line.estimated) {
    killed.exact++;
    if (!served.completed || line.output_tokens !== served.usage?.completion_tokens)
      killed.faults.push(`stream ${n}: ${line.output_tokens} billed as exact, ${JSON.stringify(served.usage)} sent`);
    return;
  }
  killed.estimated++;
  const said = `You said: ${wordsOf(n).join(" ")}`.match(/\S+\s*/g) ?? [];
  const counted = (pieces: number) => said.slice(0, pieces).reduce((sum, piece) => sum + estimateTokens(piece), 0);
  const most = counted(served.pieces);
  if (line.output_tokens > most || line.output_tokens < counted(served.pieces - ON_THE_WAY))
    killed.faults.push(`stream ${n}: ${line.output_tokens} billed as counted, ${served.pieces} pieces (${most}) sent`);
}
