import { WaypostError } from "../errors.ts";
import { piecesOf } from "../gate/pieces.ts";

/** Far more than a service has to say about one thing. */
const MAX_BODY_BYTES = 256 * 1024;

/**
 * The body of a delivery as it was signed, byte for byte.
 * @throws WaypostError `payload_too_large`
 */
export async function readDelivery(request: Request): Promise<string> {
  const tooLarge = () =>
    new WaypostError("payload_too_large", `The body of a delivery may have at most ${MAX_BODY_BYTES} bytes.`);
  if (Number(request.headers.get("content-length")) > MAX_BODY_BYTES) throw tooLarge();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });
  let text = "";
  let size = 0;
  for await (const part of piecesOf(request)) {
    size += part.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}
