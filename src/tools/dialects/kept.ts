import { WaypostError } from "../../errors.ts";
import { dialects } from "../../models/dialects/dialects.ts";
import type { DialectName } from "../../models/dialects/types.ts";
import type { DialectReply } from "../define.ts";

export const EVENT_STREAM_TYPE = "text/event-stream; charset=utf-8";
/** The longest stream that is kept for a repeated call, in bytes. */
const MOST = 512 * 1024;

/** What was streamed, remembered where a repeated call may ask for it again. */
export class Kept {
  #pieces: Uint8Array[] | undefined;
  #bytes = 0;

  constructor(wanted: boolean) {
    if (wanted) this.#pieces = [];
  }

  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes > MOST) this.#pieces = undefined;
    this.#pieces?.push(piece);
  }

  /** What a repeated call is answered with: the same stream, or why there is none. */
  reply(dialect: DialectName): DialectReply {
    if (this.#pieces || this.#bytes <= MOST) {
      const body = Buffer.concat(this.#pieces ?? []).toString("utf8");
      return { status: 200, contentType: EVENT_STREAM_TYPE, body };
    }
    const error = new WaypostError(
      "idempotency_not_kept",
      "This call was answered before, once, by a stream too long to be kept.",
    );
    const { status, body } = dialects[dialect].encodeError(error, "");
    return { status, contentType: "application/json", body: JSON.stringify(body) };
  }
}
