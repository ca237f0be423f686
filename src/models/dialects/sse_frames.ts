/** Ends of lines to clients that split text as Python does; JSON may hold them escaped. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

function line(data: object): string {
  const json = JSON.stringify(data);
  return json.replace(LINE_ENDS, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** One server-sent event without a name. */
export const dataFrame = (data: object): string => `data: ${line(data)}\n\n`;

/** One server-sent event that is named after its `type`. */
export const typedFrame = (data: { type: string }): string => `event: ${data.type}\ndata: ${line(data)}\n\n`;
