import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { SyncDevice } from "../../test/worker/sync_device.ts";
import { SyncWorld } from "../../test/worker/sync_world.ts";
import { openVault } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { listRemoved } from "./messages.ts";
import { listHistory } from "./mutation_history.ts";
import { findSession } from "./session_store.ts";
import type { Message, VaultApi } from "./types.ts";

/** Raise the count to search for trouble; `vitest run sync_simulation -t 'seed 17'` repeats one. */
const FIRST_SEED = 1;
const SEEDS = 30;
const STEPS = 120;

const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i);
const total: Record<string, number> = { conflicts: 0 };

describe("devices on a bad network", () => {
  it.each(seeds)("lose nothing and agree in the end (seed %i)", async (seed) => {
    const account = crypto.randomUUID();
    const world = new SyncWorld(() => openVault(account).vault, seed);
    for (let i = 0; i < STEPS; i++) await world.step();
    await world.heal();

    const { vault, stub } = openVault(account);
    const shown = await sessionsShown(vault);
    for (const device of world.devices) expect(replicaOf(device), "a device disagrees").toEqual(shown);
    await expectMessagesKept(world, stub, shown);
    await expectValuesKept(world, stub);
    await expectReplayChangesNothing(world, vault);

    for (const [fault, times] of Object.entries(world.faults)) total[fault] = (total[fault] ?? 0) + times;
    const conflicts = [...world.firstOutcomes.values()].filter(({ status }) => status === "conflict");
    total.conflicts = (total.conflicts ?? 0) + conflicts.length;
  });

  it("met every fault", () => {
    for (const [fault, times] of Object.entries(total)) expect(times, fault).toBeGreaterThan(0);
  });
});

type Stub = ReturnType<typeof openVault>["stub"];
type Shown = Record<string, { title: string; context: object; messages: Message[] }>;

async function sessionsShown(vault: VaultApi): Promise<Shown> {
  const { sessions, next_page } = unwrap(await vault.listSessions({ limit: 1_000 }));
  expect(next_page).toBeNull();
  const shown: Shown = {};
  for (const { id, message_count } of sessions) {
    const { title, context, messages } = unwrap(await vault.readSession({ session_id: id, limit: 10_000 }));
    expect(messages).toHaveLength(message_count);
    shown[id] = { title, context, messages };
  }
  return shown;
}

/** A device's replica in the form in which the vault shows its sessions. */
function replicaOf(device: SyncDevice): Shown {
  const shown: Shown = {};
  const changes = [...device.state.replica.values()].sort((a, b) => a.seq - b.seq);
  for (const change of changes) {
    if (change.kind !== "session" || !change.session) continue;
    shown[change.id] = { title: change.session.title, context: change.session.context, messages: [] };
  }
  for (const change of changes) {
    if (change.kind === "message" && change.message) shown[change.session_id]?.messages.push(change.message);
  }
  return shown;
}

async function expectMessagesKept(world: SyncWorld, stub: Stub, shown: Shown): Promise<void> {
  expect(world.acknowledged.length).toBeGreaterThan(0);
  const stored = new Set<string>();
  for (const { session, messages } of world.acknowledged) {
    const live = new Map(shown[session]?.messages.map((each) => [each.id, each]));
    const removed = await runInDurableObject(stub, (_vault, { storage }) => listRemoved(storage, session));
    const dropped = new Map(removed.map((each) => [each.id, each]));
    for (const message of messages) {
      stored.add(message.id);
      expect(live.get(message.id) ?? dropped.get(message.id), "an acknowledged message is gone").toEqual(message);
      if (!world.removals.has(session)) expect(live.has(message.id), "a message was removed by nobody").toBe(true);
    }
  }
  for (const { messages } of Object.values(shown))
    expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
}

async function expectValuesKept(world: SyncWorld, stub: Stub): Promise<void> {
  expect(world.values.length).toBeGreaterThan(0);
  for (const { session, field, value } of world.values) {
    const kept = await runInDurableObject(stub, (_vault, { storage }) => {
      const fields = findSession(storage, session)?.fields as unknown as Record<string, unknown>;
      const before = listHistory(storage, session).filter((entry) => entry.field === field);
      return [fields[field], ...before.map((entry) => entry.value)];
    });
    expect(kept, `a value of ${field} is gone`).toContainEqual(value);
  }
}

async function expectReplayChangesNothing(world: SyncWorld, vault: VaultApi): Promise<void> {
  const before = { head: unwrap(await vault.ping()), shown: await sessionsShown(vault) };
  for (const request of world.delivered.toReversed()) {
    const { outcomes } = unwrap(await vault.push(request));
    const first = outcomes.map(({ id }) => world.firstOutcomes.get(`${request.device_id}/${id}`));
    expect(outcomes).toEqual(
      first.map((each) => (each?.status === "applied" ? { ...each, status: "duplicate" } : each)),
    );
  }
  expect({ head: unwrap(await vault.ping()), shown: await sessionsShown(vault) }).toEqual(before);
}
