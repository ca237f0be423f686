import type { Waypost } from "./harness.ts";

/** Makes an account, for which no provider has failed yet, and a key of it. */
export async function freshAccount({ url, apiKey }: Waypost): Promise<{ account: string; key: string }> {
  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const reply = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    return (await reply.json()) as Record<string, string>;
  };
  const { account = "" } = await post("/v1/admin/accounts", { name: "fresh", plan: "enterprise" });
  const { api_key: key = "" } = await post("/v1/keys", { account, name: "fresh" });
  return { account, key };
}
