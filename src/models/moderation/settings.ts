import * as z from "zod";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { llamaGuard } from "./llama_guard.ts";
import { openAIModerator } from "./openai.ts";
import type { Moderator, Policy } from "./types.ts";

const OPENAI_URL = "https://api.openai.com/v1";
const MODEL = "omni-moderation-latest";

const Sides = z.array(z.enum(["input", "output"]));
const PolicyFields = {
  check: Sides.optional(),
  on_failure: z.enum(["closed", "open"]).optional(),
  keep_content: z.boolean().optional(),
};
const Setting = z.strictObject({
  by: z.enum(["openai", "workers-ai"]).optional(),
  base_url: z.url({ protocol: /^https?$/ }).optional(),
  model: z.string().min(1).optional(),
  ...PolicyFields,
  accounts: z.record(z.string(), z.strictObject(PolicyFields)).default({}),
});
type Setting = z.output<typeof Setting>;

const cache = new WeakMap<object, Moderation>();

/** Moderation as this deployment is configured; read once per environment. @throws WaypostError `not_configured` */
export function moderationOf(env: Env): Moderation {
  let made = cache.get(env);
  if (!made) {
    made = new Moderation(env);
    cache.set(env, made);
  }
  return made;
}

export class Moderation {
  readonly #setting: Setting;
  readonly #moderator: Moderator | undefined;

  constructor(env: Env) {
    this.#setting = read(env.MODERATION);
    this.#moderator = choose(env, this.#setting);
  }

  /** @throws WaypostError `not_configured` when there is nobody to ask */
  get moderator(): Moderator {
    if (this.#moderator) return this.#moderator;
    throw new WaypostError(
      "not_configured",
      "Nobody can moderate here: OPENAI_API_KEY, MODERATION with a base_url, or the Workers AI binding AI is needed.",
    );
  }

  /** What is done for every call of an account. Nothing is checked, and a failure lets pass, unless the setting says so. */
  policy(account: string): Policy {
    const {
      check = [],
      on_failure = "open",
      keep_content = false,
    } = { ...this.#setting, ...this.#setting.accounts[account] };
    return { check, onFailure: on_failure, keepContent: keep_content };
  }
}

function choose(env: Env, { by, base_url, model = MODEL }: Setting): Moderator | undefined {
  const apiKey = env.OPENAI_API_KEY || undefined;
  if (by === "workers-ai" || (!by && !apiKey && !base_url)) return env.AI ? llamaGuard(env.AI) : undefined;
  if (!apiKey && !base_url) return undefined;
  const baseUrl = (base_url ?? (env.OPENAI_BASE_URL || OPENAI_URL)).replace(/\/+$/, "");
  return openAIModerator({ baseUrl, apiKey, model });
}

function read(text: string | undefined): Setting {
  if (!text) return { accounts: {} };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new WaypostError("not_configured", "MODERATION is not valid JSON");
  }
  const parsed = Setting.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WaypostError("not_configured", `MODERATION: ${issue?.path.join(".") || "the value"}: ${issue?.message}`);
}
