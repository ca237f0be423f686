import type { Input } from "./input.ts";
import { fromValue, Members, type Node, placesOf, textOf } from "./json_text.ts";

/** Tries of one failing input. */
const TRIES = 150;

/**
 * The least of an input that still fails: without what does not matter of its delivery, its headers and its body.
 * @param fails sends an input again and says whether it still fails
 */
export async function shrink(input: Input, fails: (input: Input) => Promise<boolean>): Promise<Input> {
  let least = input;
  let left = TRIES;
  const attempt = async (candidate: Input): Promise<boolean> => {
    if (left-- <= 0 || !(await fails(candidate))) return false;
    least = candidate;
    return true;
  };
  await attempt({ ...least, delivery: { kind: "whole" } });
  await attempt({ ...least, framing: { kind: "length", lie: 0 } });
  for (const [name] of least.headers) {
    await attempt({ ...least, headers: least.headers.filter(([each]) => each !== name) });
  }
  let smaller = true;
  while (smaller && left > 0) {
    smaller = false;
    for (const body of smallerBodies(least.body)) {
      smaller = await attempt({ ...least, body });
      if (smaller || left <= 0) break;
    }
  }
  return least;
}

/** Bodies with one thing less, the largest cuts first. Text that is no JSON is halved. */
function* smallerBodies(body: Buffer | null): Generator<Buffer> {
  if (!body || body.length === 0) return;
  const tree = parsedTree(body);
  if (tree === undefined) {
    for (const at of [body.length >> 1, body.length >> 2, 1]) {
      if (at === 0) continue;
      yield body.subarray(0, body.length - at);
      yield body.subarray(at);
    }
    return;
  }
  const count = placesOf({ node: tree }).length;
  for (let i = 1; i < count; i++) {
    const root = { node: parsedTree(body) as Node };
    const place = placesOf(root)[i];
    place?.remove?.();
    yield Buffer.from(textOf(root.node));
  }
  for (let i = 1; i < count; i++) {
    const root = { node: parsedTree(body) as Node };
    const place = placesOf(root)[i];
    const value = place?.get();
    if (typeof value === "string" && value.length > 1) place?.set(value.slice(0, value.length >> 1));
    else if ((Array.isArray(value) && value.length > 0) || (value instanceof Members && value.list.length > 0))
      place?.set(null);
    else continue;
    yield Buffer.from(textOf(root.node));
  }
}

function parsedTree(body: Buffer): Node | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    // Members that occur twice are lost in parsing: such text is shortened as text.
    const tree = fromValue(value);
    return textOf(tree).length === body.toString("utf8").replace(/\s/g, "").length || typeof value === "object"
      ? tree
      : undefined;
  } catch {
    return undefined;
  }
}
