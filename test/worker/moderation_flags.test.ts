import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { unwrap } from "../../src/errors.ts";
import { vaultOf } from "../../src/gate/stores.ts";
import { account, rest } from "./client.ts";

const flag = (n: number) => ({
  id: `flag_${n}_input`,
  at: "2026-01-31T12:00:00.000Z",
  call_id: `call_${n}`,
  side: "input" as const,
  categories: ["violence"],
  moderator: "openai/omni-moderation-latest",
  model: "paid/echo",
  content: null,
});

it("lists an account's flags in pages, takes a review, and shows them to nobody else", async () => {
  const key = { scopes: ["account"] };
  const [mine, other] = [await account("enterprise", key), await account("enterprise", key)];
  const vault = vaultOf(env as unknown as Env, mine.account);
  for (let n = 1; n <= 5; n++) unwrap(await vault.addFlag(flag(n)));
  unwrap(await vault.addFlag(flag(5)));

  const first = await rest(mine.key, "GET", "/v1/moderation/flags?limit=3");
  expect(first.body.flags.map(({ id }: { id: string }) => id)).toEqual([5, 4, 3].map((n) => flag(n).id));
  expect(first.body.flags[0]).toEqual({ ...flag(5), review: null });
  const second = await rest(mine.key, "GET", `/v1/moderation/flags?limit=3&page=${first.body.next_page}`);
  expect(second.body).toMatchObject({ flags: [{ id: flag(2).id }, { id: flag(1).id }], next_page: null });

  const path = (id: string) => `/v1/moderation/flags/${id}/review`;
  const reviewed = await rest(mine.key, "POST", path(flag(4).id), { verdict: "mistaken", note: "A film title." });
  expect(reviewed).toMatchObject({
    status: 200,
    body: { id: flag(4).id, review: { verdict: "mistaken", note: "A film title." } },
  });
  expect((await rest(mine.key, "GET", "/v1/moderation/flags?reviewed=true")).body.flags).toEqual([reviewed.body]);
  expect((await rest(mine.key, "GET", "/v1/moderation/flags?reviewed=false")).body.flags.length).toBe(4);

  expect((await rest(other.key, "GET", "/v1/moderation/flags")).body).toEqual({ flags: [], next_page: null });
  expect((await rest(other.key, "POST", path(flag(4).id), { verdict: "upheld" })).body.code).toBe("not_found");
  expect((await rest(mine.key, "POST", path(flag(4).id), { verdict: "perhaps" })).body.code).toBe("invalid_input");
  expect((await rest(mine.key, "GET", "/v1/moderation/flags?page=x")).body.code).toBe("invalid_input");
});

it("asks for the scope account", async () => {
  const { key } = await account("enterprise", { scopes: ["chat", "usage"] });
  expect((await rest(key, "GET", "/v1/moderation/flags")).body.code).toBe("insufficient_scope");
  expect((await rest(key, "POST", "/v1/moderation/flags/x/review", { verdict: "upheld" })).body.code).toBe(
    "insufficient_scope",
  );
});
