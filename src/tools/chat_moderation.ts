import { WaypostError } from "../errors.ts";
import type { TokenUsage } from "../ledger/money.ts";
import { moderating } from "../models/moderation/moderating.ts";
import type { Exhibit, OnFailure, Side, Verdict } from "../models/moderation/types.ts";
import type { ChatMessage, ChatModel } from "../models/types.ts";
import type { GuardInput } from "./chat_guard_schema.ts";
import type { Prompt } from "./chat_prompt.ts";
import type { Call } from "./define.ts";

type Wish = GuardInput["moderate"];

/** Sides to be judged: what the call asks for, and what is policy for its account. */
export function sidesOf(call: Call, wish: Wish): Set<Side> {
  return new Set([...call.safety.moderation.policy(call.principal.account).check, ...askedFor(wish)]);
}

const askedFor = (wish: Wish): Side[] => {
  if (!wish) return [];
  const { input = true, output = true } = wish === true ? {} : wish;
  return [...(input ? (["input"] as const) : []), ...(output ? (["output"] as const) : [])];
};

/** A call that asks is refused when nobody can judge, unless it says otherwise; it cannot loosen the account's policy. */
function onFailure(call: Call, wish: Wish, side: Side): OnFailure {
  const policy = call.safety.moderation.policy(call.principal.account);
  if (policy.check.includes(side) && policy.onFailure === "closed") return "closed";
  if (!askedFor(wish).includes(side)) return policy.onFailure;
  return typeof wish === "object" ? wish.on_failure : "closed";
}

/** The model that is asked, for the flag's record. */
type Asked = Pick<ChatModel, "info">;

/** Judges what came with the call. @throws WaypostError `content_flagged`, `moderation_unavailable` */
export async function moderatedInput(
  call: Call,
  wish: Wish,
  messages: readonly Pick<ChatMessage, "content">[],
  model: Asked,
): Promise<void> {
  const text = messages.map(({ content }) => content).join("\n\n");
  const verdict = await judge(call, wish, { side: "input", text }, call.signal);
  if (verdict.flagged) throw await flagged(call, "input", verdict, text, model);
}

/** The model with its answer judged before it is shown. */
export function moderatedOutput(call: Call, wish: Wish, prompt: Prompt, model: ChatModel): ChatModel {
  const question = prompt.messages.findLast(({ role }) => role === "user")?.content ?? "";
  return moderating(model, {
    judge: (text, signal) => judge(call, wish, { side: "output", text, question }, signal),
    flagged: (verdict, text, usage) => flagged(call, "output", verdict, text, model, usage),
  });
}

/** The error for a whole answer that policy does not let pass; undefined when it may. @throws WaypostError `moderation_unavailable` */
export async function answerFlagged(
  call: Call,
  answer: { text: string; question: string; usage: TokenUsage },
  model: Asked,
): Promise<WaypostError | undefined> {
  const { text, question, usage } = answer;
  const verdict = await judge(call, undefined, { side: "output", text, question }, call.signal);
  return verdict.flagged ? flagged(call, "output", verdict, text, model, usage) : undefined;
}

async function judge(call: Call, wish: Wish, exhibit: Exhibit, signal: AbortSignal): Promise<Verdict> {
  try {
    return await call.safety.moderation.moderator.judge(exhibit, signal);
  } catch (error) {
    const unavailable = error instanceof WaypostError && error.code === "moderation_unavailable";
    if (!unavailable || onFailure(call, wish, exhibit.side) === "closed") throw error;
    return { flagged: false, categories: [] };
  }
}

/** Notes the flag for review; the error says why, not what. `usage`: tokens of an answer that was made, to be billed. */
async function flagged(
  call: Call,
  side: Side,
  { categories }: Verdict,
  text: string,
  { info }: Asked,
  usage?: TokenUsage,
): Promise<WaypostError> {
  const { moderation } = call.safety;
  const flag = {
    id: `flag_${call.id.replace(/^call_/, "")}_${side}`,
    at: new Date().toISOString(),
    call_id: call.id,
    side,
    categories,
    moderator: moderation.moderator.id,
    model: info.id,
    content: moderation.policy(call.principal.account).keepContent ? text : null,
  };
  const noted = await call.vault.addFlag(flag).catch(() => undefined);
  const named = categories.length > 0 ? categories.join(", ") : "no category named";
  return new WaypostError("content_flagged", `The ${side} was flagged: ${named}.`, {
    side,
    categories,
    ...(noted?.ok ? { flag_id: flag.id } : {}),
    ...(usage ? { usage } : {}),
  });
}
