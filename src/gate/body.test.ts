import { expect, test } from "vitest";
import { WaypostError } from "../errors.ts";
import { MAX_BODY_BYTES, readJson } from "./body.ts";

/** A body that comes in pieces of a size, and whose length nobody is told. */
function inPieces(bytes: Uint8Array, size: number): Request {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    for (let at = 0; at < bytes.length; at += size) await writer.write(bytes.slice(at, at + size));
    await writer.close();
  };
  // Whoever reads may stop before the end.
  write().catch(() => {});
  const headers = { "content-type": "application/json" };
  return new Request("https://waypost.test/x", { method: "POST", headers, body: readable });
}
const text = (length: number) => new TextEncoder().encode(JSON.stringify("é".repeat(length / 2)));
const code = (thrown: unknown) => (thrown as WaypostError).code;

test.each([
  [1, 300],
  [7, 2_000],
  [1_000, 200_000],
  [100_000, 1_000_000],
])("a body in pieces of %i bytes is read whole", async (size, length) => {
  expect(await readJson(inPieces(text(length), size), async () => {})).toBe("é".repeat(length / 2));
});

test("a stranger's body is read up to what a stranger may send", async () => {
  let asked = 0;
  const stranger = async () => {
    asked++;
    throw new WaypostError("unauthenticated", "no");
  };
  expect(await readJson(inPieces(text(60_000), 1_000), stranger)).toHaveLength(30_000);
  expect(asked).toBe(0);
  await expect(readJson(inPieces(text(70_000), 1_000), stranger)).rejects.toSatisfy(
    (e) => code(e) === "unauthenticated",
  );
  expect(asked).toBeGreaterThan(0);
});

test("a body of unknown length that is too large is not read to its end", async () => {
  const large = inPieces(text(MAX_BODY_BYTES + 100_000), 1_000_000);
  await expect(readJson(large, async () => {})).rejects.toSatisfy((e) => code(e) === "payload_too_large");
});

test("a body that breaks off is the caller's, not a failure", async () => {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  writer
    .write(text(100))
    .then(() => writer.abort(new Error("gone")))
    .catch(() => {});
  const headers = { "content-type": "application/json" };
  const request = new Request("https://waypost.test/x", { method: "POST", headers, body: readable });
  await expect(readJson(request, async () => {})).rejects.toSatisfy((e) => code(e) === "invalid_json");
});
