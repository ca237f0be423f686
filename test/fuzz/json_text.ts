/**
 * JSON with what JavaScript values cannot hold: members that occur twice, `__proto__`, numbers of any size, and text that
 * is no JSON at all. An object is a list of members, so that it can have any.
 */

export type Node = string | number | boolean | null | Raw | Node[] | Members;

/** Written as it is. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class Members {
  list: [name: string, value: Node][];

  constructor(list: [string, Node][]) {
    this.list = list;
  }
}

export function fromValue(value: unknown): Node {
  if (Array.isArray(value)) return value.map(fromValue);
  if (value instanceof Raw || value instanceof Members) return value;
  if (typeof value === "object" && value !== null) {
    return new Members(Object.entries(value).map(([name, member]) => [name, fromValue(member)]));
  }
  return value === undefined ? null : (value as Node);
}

export function textOf(node: Node): string {
  if (node instanceof Raw) return node.text;
  if (node instanceof Members) {
    return `{${node.list.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join(",")}}`;
  }
  if (Array.isArray(node)) return `[${node.map(textOf).join(",")}]`;
  return JSON.stringify(node);
}

/** A place in a tree: reads and writes what stands there. */
export interface Place {
  name: string;
  get: () => Node;
  set: (value: Node) => void;
  /** Takes it out; absent for the root. */
  remove?: () => void;
}

/** Every place of a tree, from the root on. */
export function placesOf(root: { node: Node }): Place[] {
  const places: Place[] = [
    {
      name: "",
      get: () => root.node,
      set: (value) => {
        root.node = value;
      },
    },
  ];
  collect(root.node, places);
  return places;
}

function collect(node: Node, places: Place[]): void {
  if (Array.isArray(node)) {
    node.forEach((child, i) => {
      const set = (value: Node) => {
        node[i] = value;
      };
      places.push({ name: String(i), get: () => node[i] as Node, set, remove: () => void node.splice(i, 1) });
      collect(child, places);
    });
  } else if (node instanceof Members) {
    for (const member of node.list) {
      const set = (value: Node) => {
        member[1] = value;
      };
      const remove = () => {
        node.list = node.list.filter((each) => each !== member);
      };
      places.push({ name: member[0], get: () => member[1], set, remove });
      collect(member[1], places);
    }
  }
}
