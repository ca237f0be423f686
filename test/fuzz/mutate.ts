import type { Dice } from "./dice.ts";
import { fromValue, Members, type Node, type Place, placesOf, Raw, textOf } from "./json_text.ts";
import { ODD_TEXTS, oddNode } from "./odd.ts";

/** The text of a value with a few things wrong with it, or none. */
export function damaged(value: unknown, dice: Dice): Buffer {
  const root = { node: fromValue(value) };
  for (let left = dice.weighted(TIMES); left > 0; left--) change(root, dice);
  const text = textOf(root.node);
  return dice.chance(0.06) ? spoilt(text, dice) : Buffer.from(text);
}

const TIMES = [
  [35, 0],
  [45, 1],
  [25, 2],
  [10, 3],
  [5, 6],
] as const;

function change(root: { node: Node }, dice: Dice): void {
  const places = placesOf(root);
  const place = dice.pick(places);
  dice.weighted<() => void>([
    [8, () => place.set(oddNode(dice))],
    [4, () => place.remove?.()],
    [3, () => place.set(otherType(place.get(), dice))],
    [2, () => place.set(copyOf(dice.pick(places)))],
    [2, () => place.set(dice.chance(0.5) ? [place.get()] : new Members([["value", place.get()]]))],
    [4, () => changeMembers(place.get(), dice)],
  ])();
}

function changeMembers(node: Node, dice: Dice): void {
  if (!(node instanceof Members)) return;
  const [name = "", value = null] = node.list.length > 0 ? dice.pick(node.list) : [];
  const add = (added: string, what: Node) => node.list.splice(dice.int(node.list.length + 1), 0, [added, what]);
  dice.pick<() => void>([
    () => add(name, oddNode(dice)),
    () => add("__proto__", new Raw('{"admin":true,"name":"chat"}')),
    () => add("constructor", new Raw('{"prototype":{"x":1}}')),
    () => add(name.toUpperCase(), value),
    () => add(`${name}s`, value),
    () => add(dice.pick(ODD_TEXTS), oddNode(dice)),
    () => add("account", "acc_other"),
    () => add("_meta", new Raw('{"waypost/idempotency-key":7,"progressToken":{}}')),
    () => {
      for (const member of node.list) if (member[0] === name) member[0] = misspelt(name, dice);
    },
    () => node.list.reverse(),
  ])();
}

const misspelt = (name: string, dice: Dice): string => {
  const at = dice.int(name.length + 1);
  return dice.pick([
    name.slice(0, at) + name.slice(at + 1),
    `${name}_`,
    name.replace(/_(\w)/, (_, c) => c.toUpperCase()),
  ]);
};

function otherType(node: Node, dice: Dice): Node {
  if (typeof node === "number") return dice.pick<Node>([String(node), -node, node + 0.5, [node], node === 0]);
  if (typeof node === "string") return dice.pick<Node>([[node], node.length, node + node, node.slice(1), null, true]);
  if (typeof node === "boolean") return String(node);
  if (Array.isArray(node)) return dice.pick<Node>([node[0] ?? null, new Members([["0", node]]), textOf(node)]);
  return textOf(node);
}

/** Of a copy, so that a tree never holds itself. */
function copyOf(place: Place): Node {
  return new Raw(textOf(place.get()));
}

/** Text that is broken as text: cut, with bytes too many or wrong, or not UTF-8. */
function spoilt(text: string, dice: Dice): Buffer {
  const bytes = Buffer.from(text);
  const at = dice.int(bytes.length + 1);
  const around = (middle: number[] | string) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(middle as string), bytes.subarray(at)]);
  return dice.pick<() => Buffer>([
    () => bytes.subarray(0, at),
    () => bytes.subarray(at),
    () => around([0xff, 0xfe]),
    () => around([0xed, 0xa0, 0x80]),
    () => around([0]),
    () => around([dice.int(256)]),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
    () => Buffer.from(text, "utf16le"),
    () => Buffer.concat([bytes, bytes]),
    () => Buffer.from(`${text}\n${text}`),
    () => Buffer.from(`\n\t ${text} // end`),
    () => Buffer.from(`[${text},${text}]`),
    () => Buffer.alloc(0),
  ])();
}
