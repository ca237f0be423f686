import * as z from "zod";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** What a person decides, as the deployment says. */

/**
 * `off`: nobody is asked. `ask`: a person is asked where the client can ask one, elsewhere the call is done. `require`: a
 * client that cannot ask must say that the user agreed (`confirm: true`).
 */
export type Mode = "off" | "ask" | "require";

export interface ConfirmRules {
  delete: Mode;
  spend: Mode;
  merge: Exclude<Mode, "require">;
  /** A call that can cost more than this is asked about, nano-USD. */
  spendAboveNano: number;
}

const Modes = z.enum(["off", "ask", "require"]);
const Fields = {
  delete: Modes.optional(),
  spend: Modes.optional(),
  merge: z.enum(["off", "ask"]).optional(),
  spend_above_usd: z
    .string()
    .regex(/^\d{1,6}(\.\d{1,9})?$/)
    .optional(),
};
const Setting = z.strictObject({ ...Fields, accounts: z.record(z.string(), z.strictObject(Fields)).default({}) });
type Setting = z.output<typeof Setting>;

const DEFAULTS = { delete: "ask", spend: "ask", merge: "ask", spend_above_usd: "1" } as const;

const cache = new WeakMap<object, Setting>();

/** The rules of an account. @throws WaypostError `not_configured` */
export function confirmRules(env: Pick<Env, "CONFIRM">, account: string): ConfirmRules {
  let setting = cache.get(env);
  if (!setting) {
    setting = read(env.CONFIRM);
    cache.set(env, setting);
  }
  const { accounts, ...everyone } = setting;
  const { spend_above_usd, ...modes } = { ...DEFAULTS, ...everyone, ...accounts[account] };
  return { ...modes, spendAboveNano: nano(spend_above_usd) };
}

function read(text: string | undefined): Setting {
  try {
    return Setting.parse(JSON.parse(text || "{}"));
  } catch {
    throw new WaypostError(
      "not_configured",
      'CONFIRM must be JSON like {"delete":"ask","spend":"require","spend_above_usd":"0.50"}; see docs/mcp.md.',
    );
  }
}

function nano(usd: string): number {
  const [whole = "0", part = ""] = usd.split(".");
  return Number(whole) * 1_000_000_000 + Number(part.padEnd(9, "0"));
}
