import type { Env } from "../env.ts";
import type { CallOutcome } from "../gate/gate.ts";
import { reach } from "../gate/stores.ts";
import type { CallEvent } from "../tools/define.ts";
import type { Listener } from "./live_sockets.ts";
import type { Runs } from "./runs.ts";
import { runSettings } from "./settings.ts";
import type { RunRequest, WireOutcome } from "./wire.ts";
import { type Cancelled, type CancelRequest, fromWire, type Handle, type Line, type ResumeRequest } from "./wire.ts";

/**
 * What doors ask of the object that runs an account's calls. Every function throws `unavailable` when it does not answer.
 * What that object throws loses its kind on the way, so the settings it needs are read here first.
 */

const WHERE = "https://runs";

type RunsApi = Pick<Runs, "cancel" | "cancelAlias" | "announce" | "fetch">;
const runsOf = (env: Env, account: string): RunsApi => env.RUNS.get(env.RUNS.idFromName(account)) as unknown as RunsApi;

const asked = (path: string, body: RunRequest | ResumeRequest, signal?: AbortSignal): Request =>
  new Request(`${WHERE}${path}`, { method: "POST", body: JSON.stringify(body), ...(signal ? { signal } : {}) });

/**
 * Runs a call whose events are wanted: the stream to pass on, or the outcome of one that ended before it said anything.
 * @throws WaypostError `not_configured`
 */
export async function stream(env: Env, request: RunRequest, left: AbortSignal): Promise<Response | CallOutcome> {
  runSettings(env);
  const response = await reach("stream", () =>
    runsOf(env, request.credential.account).fetch(asked("/start", request, left)),
  );
  if (response.headers.get("content-type") === "application/json") {
    return fromWire((await response.json()) as WireOutcome);
  }
  // Its headers are final once more are to be set on them.
  return new Response(response.body, response);
}

/**
 * A stream from a place on; null when there is no such call, or it is somebody else's.
 * @throws WaypostError `not_configured`
 */
export async function resume(env: Env, account: string, request: ResumeRequest): Promise<Response | null> {
  runSettings(env);
  const response = await reach("stream", () => runsOf(env, account).fetch(asked("/resume", request)));
  return response.status === 404 ? null : new Response(response.body, response);
}

export const cancel = (env: Env, account: string, request: CancelRequest): Promise<Cancelled | null> =>
  reach("call", () => runsOf(env, account).cancel(request));

export const cancelAlias = (env: Env, account: string, alias: string): Promise<void> =>
  reach("call", () => runsOf(env, account).cancelAlias(alias));

export const announce = (
  env: Env,
  account: string,
  session: string,
  callId: string,
  messageId: string,
): Promise<void> => reach("session", () => runsOf(env, account).announce(session, callId, messageId));

/** The socket of a device that listens to a session. */
export function listen(env: Env, account: string, listener: Listener): Promise<Response> {
  const headers = { Upgrade: "websocket", "X-Listener": JSON.stringify(listener) };
  return reach("session", () => runsOf(env, account).fetch(new Request(`${WHERE}/listen`, { headers })));
}

/**
 * Runs a call and reads it here: its events as they come, and how it ended, or the handle of one that takes longer than
 * its client waits. `left`: aborted when the client has gone; the call goes on or ends as its own rules say.
 * @throws WaypostError `not_configured`
 */
export async function follow(
  env: Env,
  request: RunRequest,
  left: AbortSignal,
  emit: ((event: CallEvent) => void) | undefined,
): Promise<{ outcome: CallOutcome } | { handle: Handle }> {
  runSettings(env);
  return reach("call", async () => {
    const response = await runsOf(env, request.credential.account).fetch(asked("/start", request, left));
    for await (const line of linesOf(response)) {
      if ("delta" in line) emit?.({ type: "delta", text: line.delta });
      else if ("progress" in line) emit?.({ type: "progress", ...line.progress });
      else if ("outcome" in line) return { outcome: fromWire(line.outcome) };
      else if ("handle" in line) return { handle: line.handle };
    }
    throw new Error("the call's lines ended without an end");
  });
}

async function* linesOf(response: Response): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body ?? []) {
    rest += decoder.decode(bytes, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield JSON.parse(rest.slice(0, end)) as Line;
      rest = rest.slice(end + 1);
    }
  }
}
