import type { ChatModel, ModelEvent } from "../types.ts";
import type { Restorer } from "./restorer.ts";

/** The model with the private values put back into what it answers. */
export const restoring = (model: ChatModel, restorer: () => Restorer): ChatModel => ({
  info: model.info,
  stream: (request) => restored(model.stream(request), restorer()),
});

async function* restored(events: AsyncIterable<ModelEvent>, restorer: Restorer): AsyncGenerator<ModelEvent> {
  for await (const event of events) {
    const text = event.type === "delta" ? restorer.push(event.text) : restorer.end();
    if (text) yield { type: "delta", text };
    if (event.type === "finish") yield event;
  }
}
