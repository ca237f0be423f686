import type { ReadResourceResult } from "@modelcontextprotocol/server";
import { WaypostError } from "../errors.ts";
import { fetch } from "../tools/fetch.ts";
import { listModels } from "../tools/models.ts";
import { syncSession } from "../tools/sync_session.ts";
import { usage } from "../tools/usage.ts";
import { called, type Done, type Exchange, refusal } from "./exchange.ts";
import { META } from "./meta.ts";
import { MARKDOWN, mimeOf } from "./resources.ts";
import { transcript } from "./transcript.ts";
import { type Address, addressOf, documentUri, modelsUri, sessionUri } from "./uris.ts";

/** Reading a resource: the tool that says the same is called, and its answer put into words. */

interface Text {
  text: string;
  mimeType: string;
}

const MODELS_A_PART = 100;

/** @throws ProtocolError `not_found` also for what is another account's, and the errors of the tool that reads it */
export async function readResource(exchange: Exchange, uri: string): Promise<ReadResourceResult> {
  const address = addressOf(uri);
  if (!address) throw noResource(exchange, uri);
  const { content, outcome } = await read(exchange, uri, address);
  return {
    contents: [{ uri, ...content }],
    _meta: { [META.callId]: outcome.callId, [META.costNano]: outcome.costNano },
  };
}

async function read(
  exchange: Exchange,
  uri: string,
  address: Address,
): Promise<{ content: Text; outcome: Done<unknown> }> {
  const about = { uri };
  switch (address.kind) {
    case "models": {
      const input = { limit: MODELS_A_PART, ...(address.after === undefined ? {} : { after_id: address.after }) };
      const outcome = await called(exchange, listModels, input, about);
      const { has_more, last_id } = outcome.output;
      const more = has_more && last_id !== null ? modelsUri(last_id) : null;
      return { content: { text: ending(listModels.text(outcome.output), more), mimeType: "text/plain" }, outcome };
    }
    case "usage": {
      const outcome = await called(exchange, usage, { month: address.month }, about);
      return { content: { text: usage.text(outcome.output), mimeType: "text/plain" }, outcome };
    }
    case "document": {
      const { id, offset } = address;
      const outcome = await called(exchange, fetch, { id, offset }, about);
      const { kind, text, format, next_offset } = outcome.output;
      // Passages and messages are fetched by ids too, and are no resources.
      if (kind !== "document") throw noResource(exchange, uri);
      const more = next_offset === null ? null : documentUri(id, next_offset);
      return { content: { text: ending(text, more), mimeType: mimeOf(format) }, outcome };
    }
    case "session": {
      const { id, cursor } = address;
      const input = { session_id: id, ...(cursor ? { cursor } : {}) };
      const outcome = await called(exchange, syncSession, input, about).catch((error) => {
        throw error.data?.code === "not_found" ? noResource(exchange, uri) : error;
      });
      const { changes, more } = outcome.output;
      if (changes.some(({ kind, deleted }) => kind === "session" && deleted)) throw noResource(exchange, uri);
      const next = more ? sessionUri(id, outcome.output.cursor) : null;
      return { content: { text: ending(transcript(id, changes), next), mimeType: MARKDOWN }, outcome };
    }
  }
}

/** A text that was cut says where it goes on. */
const ending = (text: string, next: string | null): string =>
  next === null ? text : `${text}\n\n(There is more: read the resource ${next})`;

const noResource = (exchange: Exchange, uri: string) =>
  refusal(
    new WaypostError("not_found", "There is no such resource: see resources/list and resources/templates/list."),
    exchange.requestId,
    { uri },
  );
