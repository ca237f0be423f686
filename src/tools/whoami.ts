import * as z from "zod";
import { type Call, defineTool } from "./define.ts";
import { KeyOutput } from "./key_schema.ts";

const SignedIn = z.object({
  how: z.enum(["api_key", "oauth", "jwt"]),
  id: z.string(),
  name: z.string().nullable(),
  expires_at: z.string().nullable(),
  limits: KeyOutput.shape.limits,
  budget: KeyOutput.shape.budget,
});

const WhoamiOutput = z.object({
  user: z.object({ id: z.string(), name: z.string().nullable(), email: z.string().nullable() }),
  account: z.object({ id: z.string(), name: z.string().nullable(), plan: z.string() }),
  role: z.string().nullable(),
  scopes: z.array(z.string()),
  signed_in: SignedIn,
  left: z.object({
    calls: z.array(z.object({ window: z.string(), limit: z.number(), remaining: z.number() })),
    plan_tokens: z.number().int().nullable().describe("null: unlimited"),
    credit_nano: z.number().int(),
    resets_at: z.string(),
  }),
  more_scopes: z.string(),
});
type Whoami = z.output<typeof WhoamiOutput>;

export const whoami = defineTool({
  name: "whoami",
  title: "Who am I",
  description:
    "Who this connection is signed in as: user and email, account, plan, role, granted scopes (permissions), its key or sign-in " +
    "and when that expires, what is left of the limits, and how to get more scopes. Use it when a call was refused. Not for " +
    "costs (usage).",
  scope: null,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: WhoamiOutput,
  rest: { method: "get", path: "/me" },
  reads: () => ({ recent: 0 }),
  run: async (call) => {
    if (!call.usage) throw new Error("the admission carried no usage report");
    const { account, user: id, scopes, plan } = call.principal;
    const [user, memberships, signedIn] = await Promise.all([
      call.directory.user(id),
      call.directory.membershipsOf(id),
      signedInWith(call),
    ]);
    const membership = memberships.find((each) => each.account === account);
    const { windows, tokens, balance } = call.usage;
    return {
      user: { id, name: user?.name ?? null, email: user?.email ?? null },
      account: { id: account, name: membership?.name ?? null, plan },
      role: membership?.role ?? null,
      scopes: [...scopes],
      signed_in: signedIn,
      left: {
        calls: windows.map(({ name, limit, remaining }) => ({ window: name, limit, remaining })),
        plan_tokens: tokens.remaining,
        credit_nano: balance.available_nano,
        resets_at: tokens.resets_at,
      },
      more_scopes: moreScopes(signedIn, call.origin),
    };
  },
  text,
});

async function signedInWith({ principal, accounts, grants }: Call): Promise<Whoami["signed_in"]> {
  const { account, user, keyId: id } = principal;
  const nothing = { id, name: null, expires_at: null, limits: null, budget: null };
  if (id.startsWith("grant_")) {
    const app = (await grants.list(user)).find(({ grant }) => `grant_${grant}` === id);
    return { ...nothing, how: "oauth", name: app?.client_name ?? null, expires_at: app?.expires_at ?? null };
  }
  if (!id.startsWith("key_")) return { ...nothing, how: "jwt" };
  const key = (await accounts.listKeys(account)).find((each) => each.id === id);
  if (!key) return { ...nothing, how: "api_key" };
  const { name, expires_at, limits, budget } = key;
  return { how: "api_key", id, name, expires_at, limits, budget };
}

function moreScopes({ how, id }: Whoami["signed_in"], origin: string): string {
  if (how === "api_key") {
    return "A key keeps its scopes: somebody with the scope account makes one that has more (POST /v1/keys).";
  }
  if (how === "jwt") return "The identity provider's settings decide: ask whoever runs this server.";
  return `The user opens ${origin}/account/apps/${id.slice("grant_".length)}/scopes?add=<scope> and agrees, or connects again.`;
}

function text({
  user,
  account,
  role,
  scopes,
  signed_in: { how, id, name, expires_at, budget },
  left,
  more_scopes,
}: Whoami): string {
  const known = [user.name, user.email].filter(Boolean).join(", ");
  const calls = left.calls.map(({ window, limit, remaining }) => `${remaining}/${limit} a ${window}`).join(", ");
  return [
    `User ${user.id}${known ? ` (${known})` : ""}, ${role ?? "no member"} of account ${account.id}${account.name ? ` (${account.name})` : ""}, plan ${account.plan}.`,
    `Signed in by ${how}: ${id}${name ? ` (${name})` : ""}, ${expires_at ? `until ${expires_at}` : "without expiry"}.`,
    `Scopes: ${scopes.join(", ") || "none"}. For more: ${more_scopes}`,
    `Left: calls ${calls}; plan tokens ${left.plan_tokens ?? "unlimited"}; credit ${left.credit_nano} nano-USD; month ends ${left.resets_at}.`,
    ...(budget
      ? [`Budget of the key: ${budget.spent_nano} of ${budget.nano_usd} nano-USD spent (${budget.period}).`]
      : []),
  ].join("\n");
}
