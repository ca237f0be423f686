import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpPerson } from "../web/http_person.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** Races at the token endpoint over real HTTP: a few rounds here, 200 with `npm run prove:oauth`. */
const ROUNDS = Number(process.env.ROUNDS || 3);
const AT_ONCE = 20;
const LONG = 1_200_000;
const CALLBACK = "http://127.0.0.1:7777/callback";
const UNLIMITED = JSON.stringify({ register_per_hour: 100_000, token_per_minute: 1_000_000 });
const PLAN = { minute: 1_000_000, hour: 1_000_000, day: 1_000_000, monthlyTokens: null };

let waypost: Waypost;
let person: HttpPerson;
let client: string;

beforeAll(async () => {
  waypost = await startWaypost({ vars: { OAUTH_LIMITS: UNLIMITED, PLANS: JSON.stringify({ enterprise: PLAN }) } });
  person = new HttpPerson(waypost.url, (url, init) => fetch(url, init));
  const { pathname } = new URL(waypost.claim as string);
  expect((await person.usePasskey(await person.get(pathname), pathname)).to).toBe("/account");
  const registered = await fetch(`${waypost.url}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_name: "Racer", redirect_uris: [CALLBACK], token_endpoint_auth_method: "none" }),
  });
  client = ((await registered.json()) as { client_id: string }).client_id;
});
afterAll(() => waypost?.stop());

/** What it takes to redeem a code that the person has just allowed on the consent page. */
async function allowed(): Promise<Record<string, string>> {
  const verifier = randomBytes(32).toString("base64url");
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: CALLBACK,
    resource: waypost.mcp,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const page = await person.get(`/oauth/authorize?${asked}`);
  const { to } = await person.submit(page, "/oauth/authorize", { decision: "allow" });
  const code = new URL(to ?? "").searchParams.get("code") ?? "";
  return { grant_type: "authorization_code", client_id: client, code, redirect_uri: CALLBACK, code_verifier: verifier };
}

interface TokenReply {
  status: number;
  body: { access_token: string; refresh_token: string; error?: string };
}

async function token(form: Record<string, string>): Promise<TokenReply> {
  const response = await fetch(`${waypost.url}/oauth/token`, { method: "POST", body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json()) as TokenReply["body"] };
}

const refresh = ({ body }: TokenReply) =>
  token({ grant_type: "refresh_token", client_id: client, refresh_token: body.refresh_token });

async function served({ body }: TokenReply): Promise<number> {
  const response = await fetch(waypost.mcp, {
    method: "POST",
    headers: {
      authorization: `Bearer ${body.access_token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  await response.text();
  return response.status;
}

const times = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: AT_ONCE }, work));

test(
  `in each of ${ROUNDS} rounds, one of ${AT_ONCE} who redeem a code at the same time succeeds, and the others end its tokens`,
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const form = await allowed();
      const replies = await times(() => token(form));
      const outcomes = replies.map(({ status, body }) => `${status} ${body.error ?? "tokens"}`).sort();
      expect([round, outcomes]).toEqual([round, ["200 tokens", ...Array(AT_ONCE - 1).fill("400 invalid_grant")]]);
      const won = replies.find(({ status }) => status === 200) as TokenReply;
      expect([round, await served(won)]).toEqual([round, 401]);
    }
  },
  LONG,
);

test(
  `in each of ${ROUNDS} rounds, all ${AT_ONCE} who refresh at the same time hold tokens that work and refresh again`,
  async () => {
    const good = Array(AT_ONCE).fill(200);
    for (let round = 0; round < ROUNDS; round++) {
      const first = await token(await allowed());
      const replies = await times(() => refresh(first));
      expect([round, replies.map(({ status }) => status)]).toEqual([round, good]);
      expect([round, await Promise.all(replies.map(served))]).toEqual([round, good]);
      const again = await Promise.all(replies.map(refresh));
      expect([round, again.map(({ status }) => status)]).toEqual([round, good]);
      expect([round, await Promise.all(again.map(served))]).toEqual([round, good]);
    }
  },
  LONG,
);
