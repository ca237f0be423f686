import { env } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { DEFAULT_KEY_SCOPES } from "../../src/auth/scopes.ts";
import { randomFrom } from "../random.ts";
import { account, ORIGIN, owner, type Reply, rest } from "./client.ts";
import {
  ATTEMPTS,
  type Credential,
  type Door,
  documentOf,
  furnish,
  type Resident,
  searchAll,
  shapeOf,
} from "./isolation_world.ts";

import { configure, newKey, publishing, type SigningKey, type TestIssuer } from "./jwt_issuer.ts";
import { client, connect, grantIn } from "./oauth_flow.ts";

/** Pairs to try; `npm run prove:isolation -- --pairs 10000` for the whole proof. */
const PAIRS = Number(env.PAIRS || 300);
const SEED = Number(env.SEED || 20_261_121);
/** Enough accounts that none reaches its limit of calls a minute. */
const RESIDENTS = Math.max(12, Math.ceil(PAIRS / 150));

const residents: Resident[] = [];
const random = randomFrom(SEED);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

beforeAll(async () => {
  app = await client();
  signing = await newKey("ES256", "isolation");
  issuer = await publishing(signing);
  configure(issuer.setting({ algorithms: ["ES256"] }));
  for (let i = 0; i < RESIDENTS; i++) residents.push(await resident(i));
}, 600_000);

let app: string;
let signing: SigningKey;
let issuer: TestIssuer;

/** An account with a thing of every kind and a credential of every kind; every fourth belongs to an external issuer's user. */
async function resident(i: number): Promise<Resident> {
  const mark = `mark${i}x${Math.floor(random() * 1e9).toString(36)}`;
  return i % 4 === 3 ? external(mark) : local(mark);
}

async function local(mark: string): Promise<Resident> {
  const scopes = [...DEFAULT_KEY_SCOPES, "account"] as const;
  const made = await account("enterprise", { scopes });
  const { user } = (await rest(await owner(), "GET", `/v1/admin/accounts/${made.account}`)).body;
  await furnish(made.key, mark);
  const connected = (surface: string) =>
    connect({ user, account: made.account }, { client: app, resource: `${ORIGIN}/${surface}`, scopes });
  const [forMcp, forV1] = [await connected("mcp"), await connected("v1")];
  const credentials: Credential[] = [
    { kind: "API key", token: made.key, doors: ["rest", "mcp 2026", "mcp 2025"] },
    { kind: "OAuth for /mcp", token: forMcp.access_token, doors: ["mcp 2026", "mcp 2025"] },
    { kind: "OAuth for /v1", token: forV1.access_token, doors: ["rest"] },
  ];
  return { account: made.account, mark, keyId: made.keyId, grant: grantIn(forV1.access_token), credentials };
}

async function external(mark: string): Promise<Resident> {
  const token = await issuer.token(signing, { sub: `somebody ${mark}`, exp: Math.floor(Date.now() / 1_000) + 7_200 });
  await furnish(token, mark);
  const { body } = await rest(token, "GET", "/v1/me");
  return {
    account: body.account.id,
    mark,
    keyId: "key_none",
    grant: "none",
    credentials: [{ kind: "JWT", token, doors: ["rest"] }],
  };
}

/** What the caller is told of a thing that does not exist, by attempt, door and credential. */
const absent = new Map<string, string>();

async function ofNothing(attempt: Attempt, door: Door, by: Credential, id: string): Promise<string> {
  const key = `${attempt.name} ${door} ${by.token}`;
  const known = absent.get(key);
  if (known) return known;
  const shape = shapeOf(await attempt.perform(door, by.token, id), id);
  absent.set(key, shape);
  return shape;
}
type Attempt = (typeof ATTEMPTS)[number];

/** An id like the victim's that nobody has. */
const nobodys = (id: string): string => id.replace(/[0-9a-z](?=[^0-9a-z]*$)/, (last) => (last === "q" ? "z" : "q"));

function foreignMarks(reply: Reply, own: Resident): string[] {
  const text = JSON.stringify(reply.body);
  return residents.filter((other) => other !== own && text.includes(other.mark)).map(({ mark }) => mark);
}

it(`answers ${PAIRS} random pairs of caller and thing with nothing of another account (seed ${SEED})`, async () => {
  let foreign = 0;
  let own = 0;
  for (let i = 0; i < PAIRS; i++) {
    const caller = pick(residents);
    const by = pick(caller.credentials);
    const victim = random() < 0.2 ? caller : pick(residents);
    const attempt = pick(ATTEMPTS.filter(({ doors }) => doors.some((door) => by.doors.includes(door))));
    const door = pick(attempt.doors.filter((one) => by.doors.includes(one)));
    if (victim === caller && !attempt.ownBy(by.kind)) continue;
    const where = `pair ${i}, seed ${SEED}: ${by.kind}, ${attempt.name}, ${door}`;
    const id = attempt.id(victim);
    const reply = await attempt.perform(door, by.token, id);
    expect(reply.status, where).not.toBe(429);
    if (victim === caller) {
      own++;
      expect(JSON.stringify(reply.body), where).toContain(caller.mark);
      continue;
    }
    foreign++;
    const other = nobodys(id);
    expect(shapeOf(reply, id), where).toBe(await ofNothing(attempt, door, by, other));
    // Its own id is in what the caller sent, so the answer may repeat it; nothing else of the victim.
    expect(JSON.stringify(reply.body).replaceAll(id, ""), where).not.toContain(victim.mark);
    if (i % 20 === 0)
      expect(foreignMarks(await searchAll(by.doors[0] as Door, by.token, victim.mark), caller), where).toEqual([]);
  }
  expect(foreign).toBeGreaterThan(PAIRS / 2);
  expect(own).toBeGreaterThan(PAIRS / 20);
  for (const one of residents) {
    const key = one.credentials[0] as Credential;
    const fetch = ATTEMPTS[0] as Attempt;
    const door = key.doors[0] as Door;
    expect(JSON.stringify((await fetch.perform(door, key.token, documentOf(one))).body)).toContain(one.mark);
  }
}, 1_800_000);
