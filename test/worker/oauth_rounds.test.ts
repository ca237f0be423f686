import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { client, codeFor, connect, person, refresh, statusAt, token } from "./oauth_flow.ts";

/** Races, over and over: a small number of rounds here, 200 and more with `npm run prove:oauth`. */
const ROUNDS = Number(env.ROUNDS || 5);
const AT_ONCE = 20;
const LONG = 600_000;

const times = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: AT_ONCE }, work));

it(
  `in each of ${ROUNDS} rounds, one of ${AT_ONCE} who redeem a code at the same time succeeds`,
  async () => {
    const who = await person();
    const id = await client();
    for (let round = 0; round < ROUNDS; round++) {
      const { form } = await codeFor(who, { client: id });
      const replies = await times(() => token(form, { "CF-Connecting-IP": `codes ${round}` }));
      const outcomes = replies.map(({ status, body }) => `${status} ${body.error ?? "tokens"}`).sort();
      expect([round, outcomes]).toEqual([round, ["200 tokens", ...Array(AT_ONCE - 1).fill("400 invalid_grant")]]);
      const won = replies.find(({ status }) => status === 200)?.body.access_token;
      expect([round, await statusAt("mcp", won)]).toEqual([round, 401]);
    }
  },
  LONG,
);

it(
  `in each of ${ROUNDS} rounds, all ${AT_ONCE} who refresh at the same time get tokens that work and refresh again`,
  async () => {
    const who = await person();
    const id = await client();
    const all200 = Array(AT_ONCE).fill(200);
    for (let round = 0; round < ROUNDS; round++) {
      const from = { "CF-Connecting-IP": `refreshes ${round}` };
      const tokens = await connect(who, { client: id });
      const replies = await times(() => refresh(tokens.refresh_token, id, {}, from));
      expect([round, replies.map(({ status }) => status)]).toEqual([round, all200]);
      const served = replies.map(({ body }) => statusAt("mcp", body.access_token));
      expect([round, await Promise.all(served)]).toEqual([round, all200]);
      const again = await Promise.all(replies.map(({ body }) => refresh(body.refresh_token, id, {}, from)));
      expect([round, again.map(({ status }) => status)]).toEqual([round, all200]);
      const last = again.map(({ body }) => statusAt("mcp", body.access_token));
      expect([round, await Promise.all(last)]).toEqual([round, all200]);
    }
  },
  LONG,
);
