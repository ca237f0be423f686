import { ok, type Result } from "../../src/errors.ts";
import type { AccountLedger } from "../../src/ledger/account_ledger.ts";
import type { AdmitReply, Ended, SettleRequest } from "../../src/ledger/types.ts";
import { admission, type CallPlan, reservation, settlementOf } from "./plan.ts";
import { GivenUp, Gone, type World } from "./world.ts";

/** No gate waits so long for the answer to its request, nor sends it again then. */
const PATIENCE_MS = 3_600_000;

/** A client and the gate in front of the ledger: admit, let the provider work, settle, answer. */
export async function call(world: World, plan: CallPlan): Promise<void> {
  const { generation } = world;
  const cutOff = () => generation !== world.generation;
  try {
    const since = world.clock.now;
    const reply = await admit(world, plan);
    if (cutOff()) return;
    if (reply.kind === "replay") world.model.told(plan, reply, since);
    if (reply.kind !== "admitted") return;
    const granted = await grant(world, plan, reply);
    if (granted === null || cutOff()) return;
    await world.clock.under(`provider for ${plan.callId}`);
    if (plan.ending === "never" || cutOff()) return;
    await settle(world, plan, granted, since, cutOff);
  } catch (error) {
    if (!(error instanceof Gone))
      world.model.report(`a client failed: ${error instanceof Error ? error.stack : error}`);
  }
}

/** As the gate does it: the short way where the call shares the ledger's isolate and memory tells all, else by an RPC. */
async function admit(world: World, plan: CallPlan): Promise<AdmitReply> {
  const near = plan.near ? world.askNear((ledger) => ledger.admit(admission(plan))) : undefined;
  if (near) {
    if (!near.lost) world.model.decided(plan, near.reply);
    return near.reply;
  }
  return world.ask(async (ledger) => {
    const admitted = await ledger.admit(admission(plan));
    world.model.decided(plan, admitted);
    return admitted;
  }, true);
}

/** The output tokens the call may use; null when it may not go on. */
async function grant(world: World, plan: CallPlan, reply: AdmitReply & { kind: "admitted" }): Promise<number | null> {
  if (!plan.hold) return 0;
  if (!plan.late) return reply.grantedOutputTokens ?? null;
  const { hold } = plan;
  const near = plan.near ? world.askNear((ledger) => ledger.reserve(reservation(plan, hold))) : undefined;
  const reserved = near?.reply ?? (await world.ask((ledger) => ledger.reserve(reservation(plan, hold))));
  if (reserved.ok) return reserved.value.grantedOutputTokens;
  // As the gate does it: a call that cannot pay ends with the error, and without a charge.
  const refused = { ...plan, hold: null, ending: "error" as const };
  const settlement = { ...settlementOf(refused, 0, 5), tool: "chat", metered: true };
  await world.ask((ledger) => ledger.settle(settlement), true);
  return null;
}

async function settle(world: World, plan: CallPlan, granted: number, since: number, cutOff: () => boolean) {
  const request = settlementOf(plan, granted, Math.max(0, world.clock.now - since));
  // A free call was booked when it was admitted: only a failure or a result to keep is reported.
  if (!plan.hold && !plan.idempotency && !request.error) return;
  // When it may have been settled first: a try whose answer was lost counts.
  let at: number | undefined;
  const begun = () => {
    at ??= world.clock.now;
    world.model.settling(plan.callId);
  };
  const once = async (): Promise<void> => {
    for (let tries = 0; ; tries++) {
      try {
        const result = await end(world, plan, request, begun);
        if (result.ok && !cutOff()) world.model.settled(plan, request, heard(world, result.value), at ?? since);
        // Another call with the key had another input: the client is told so.
        const conflict = !result.ok && result.code === "idempotency_conflict" && plan.idempotency;
        if (!result.ok && !conflict) world.model.report(`${plan.callId} could not be settled: ${result.code}`);
        return;
      } catch (error) {
        if (!(error instanceof Gone) || error instanceof GivenUp) throw error;
        if (tries >= plan.patience || cutOff()) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: plan.settles }, once));
}

/** As the gate does it: the short way, and told when the object has written it, or by an RPC. */
async function end(world: World, plan: CallPlan, request: SettleRequest, begun: () => void): Promise<Result<Ended>> {
  const near = plan.near ? world.settleNear(request) : undefined;
  if (near && !near.lost) begun();
  if (near && (await world.keep(near))) return ok(near.reply);
  const settle = (ledger: AccountLedger) => {
    begun();
    return ledger.settle(request);
  };
  return world.ask(settle, true, PATIENCE_MS);
}

/** What the gate makes of an ended call: the kept answer of another, if there is one. */
function heard(world: World, { kept, ...settlement }: Ended): Ended {
  return kept && world.broken !== "own answer" ? { ...settlement, kept } : settlement;
}
