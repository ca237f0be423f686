/** OpenAI's refusals of what is no string where a stand-in would say it back; null when there is nothing of the kind. */

/** Of a request for chat completions: the names of functions, and the texts of messages. */
export const chatRefusal = ({ tools, messages }: { tools?: unknown; messages?: unknown }): object | null =>
  firstOf(tools, (tool, i) => {
    const { type, function: called } = Object(tool);
    if (type !== "function" && called === undefined) return null;
    return refusalAt(`tools[${i}].function.name`, Object(called).name);
  }) ?? partsOf(messages, "messages");

/** Of a request for a response: as above. */
export const responsesRefusal = ({ tools, input }: { tools?: unknown; input?: unknown }): object | null =>
  firstOf(tools, (tool, i) => {
    const { type, name } = Object(tool);
    return type === "function" ? refusalAt(`tools[${i}].name`, name) : null;
  }) ?? partsOf(input, "input");

const partsOf = (messages: unknown, where: string): object | null =>
  firstOf(messages, (message, i) =>
    firstOf(Object(message).content, (part, j) => {
      const { text } = Object(part);
      return text === undefined ? null : refusalAt(`${where}[${i}].content[${j}].text`, text);
    }),
  );

function firstOf(list: unknown, look: (each: unknown, i: number) => object | null): object | null {
  if (!Array.isArray(list)) return null;
  for (const [i, each] of list.entries()) {
    const found = look(each, i);
    if (found) return found;
  }
  return null;
}

function refusalAt(param: string, value: unknown): object | null {
  if (typeof value === "string") return null;
  const [code, message] =
    value === undefined
      ? ["missing_required_parameter", `Missing required parameter: '${param}'.`]
      : ["invalid_type", `Invalid type for '${param}': expected a string, but got ${kindOf(value)} instead.`];
  return { error: { message, type: "invalid_request_error", param, code } };
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
