import type { Context } from "hono";
import { WaypostError } from "../errors.ts";
import { readJson } from "../gate/body.ts";
import { type CallOutcome, type CallRequest, identify, runCall } from "../gate/gate.ts";
import { outcomeHeaders, requestIdOf, setRateHeaders } from "../gate/headers.ts";
import { readCredential } from "../gate/identify.ts";
import type { Http } from "../gate/route.ts";
import type { WindowState } from "../ledger/types.ts";
import type { Tool } from "../tools/define.ts";
import { type Place, places } from "../tools/places.ts";
import { pieceStream } from "./csv.ts";
import { clientsAsk, failureResponse, problemResponse } from "./problem.ts";
import { inputFromUrl } from "./query.ts";
import { announced, streamed } from "./stream.ts";

/** The handler of one tool's route: HTTP in, the gate, HTTP out. */
export function toolRoute({ rest, load }: Place): (c: Context<Http>) => Promise<Response> {
  const hasBody = rest.method === "post" || rest.method === "patch";
  const hasPathFields = rest.path.includes("{");
  const forClients = clientsAsk(`/v1${rest.path}`);
  const asCsv = places.find((other) => other.rest.path === `${rest.path}.csv`);
  return async (c) => {
    const requestId = requestIdOf(c.req.raw.headers);
    try {
      if (asCsv && /\btext\/csv\b/i.test(c.req.header("accept") ?? "")) return await toolRoute(asCsv)(c);
      return await serve(c, requestId);
    } catch (error) {
      return failureResponse(error, requestId, forClients);
    }
  };

  async function serve(c: Context<Http>, requestId: string): Promise<Response> {
    const tool = await load();
    const headers = c.req.raw.headers;
    const credential = await readCredential(c.req.raw, c.env, "v1", requestId);
    const path = hasPathFields ? (c.req.param() as Record<string, string>) : {};
    const read = hasBody
      ? await bodyInput(c, tool, path, () => identify(c.env, credential))
      : { input: inputFromUrl(tool, c.req.url, path), stream: false };
    const idempotencyKey = headers.get("idempotency-key");
    const client = headers.get("user-agent")?.slice(0, 100);
    const call: CallRequest = {
      tool,
      input: read.input,
      credential,
      via: "rest",
      requestId,
      ...(client ? { client } : {}),
      ...(idempotencyKey === null ? {} : { idempotencyKey }),
    };
    const plain = (outcome: CallOutcome) => answer(outcome, requestId, forClients);
    if (tool.media) return pieces(tool.media, c, call, plain);
    if (read.stream) return streamed(c, call, plain);
    const outcome = await runCall(c.env, c.executionCtx, call);
    if (tool.streams && outcome.ok) announced(c, call, outcome);
    return plain(outcome);
  }
}

/** A call whose answer is what it emits. */
function pieces(media: string, c: Context<Http>, call: CallRequest, plain: (outcome: CallOutcome) => Response) {
  const stream = pieceStream(media);
  const headers: Record<string, string> = { "X-Request-Id": call.requestId };
  const admitted = (windows: WindowState[]) => setRateHeaders(headers, windows);
  const outcome = runCall(c.env, c.executionCtx, { ...call, emit: stream.emit, admitted });
  return stream.response(outcome, plain, headers);
}

/** The body with the path's parameters in it, and whether a stream is wanted (by `Accept`, or `"stream": true`). */
async function bodyInput(c: Context<Http>, tool: Tool, path: Record<string, string>, known: () => Promise<unknown>) {
  const body = await readJson(c.req.raw, known);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    await known();
    throw new WaypostError("invalid_input", "The body must be a JSON object.");
  }
  const input: Record<string, unknown> = { ...body, ...path };
  let stream = tool.streams === true && (c.req.header("accept") ?? "").includes("text/event-stream");
  if (tool.streams && typeof input.stream === "boolean") {
    stream = input.stream;
    delete input.stream;
  }
  return { input, stream };
}

function answer(outcome: CallOutcome, requestId: string, forClients: boolean): Response {
  if (!outcome.ok) return problemResponse(outcome.error, requestId, outcomeHeaders(outcome, requestId), forClients);
  const headers = outcomeHeaders(outcome, requestId);
  headers["Content-Type"] = "application/json";
  return new Response(JSON.stringify(outcome.output), { headers });
}
