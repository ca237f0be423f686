import { setTimeout as pause } from "node:timers/promises";
import { type CutDialect, cutWire, PATHS } from "./cut_wires.ts";
import { type Handler, json, readBody } from "./server.ts";

/** Under `/cuts/`, a model `cuts-<seed>` answers with `cutWire` of that seed, each piece written by itself, as fast as it goes. */
export const cuts: Handler = async (request, response) => {
  const { model } = JSON.parse(await readBody(request)) as { model: string };
  const seed = Number(/^cuts-(\d+)$/.exec(model)?.[1]);
  const dialect = (Object.keys(PATHS) as CutDialect[]).find((name) => request.url === `/cuts${PATHS[name]}`);
  if (!dialect || !Number.isInteger(seed)) return json(response, 404, { error: { message: "no such wire" } });
  const { bytes, pieces } = cutWire(dialect, seed);
  response.socket?.setNoDelay(true);
  response.writeHead(200, { "content-type": "text/event-stream" });
  let at = 0;
  for (const { length, pauseMs } of pieces) {
    if (pauseMs > 0) await pause(pauseMs);
    else await new Promise(setImmediate);
    if (!response.write(bytes.subarray(at, at + length))) await drained(response);
    at += length;
    if (response.destroyed) return;
  }
  response.end();
};

const drained = (response: Parameters<Handler>[1]): Promise<void> =>
  new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
