import { WaypostError } from "../errors.ts";

/**
 * A secret that requests carry in a header. White space around it goes, as it does on the way.
 * @throws WaypostError `not_configured`, naming the setting and nothing of its value
 */
export function expectHeaderValue(value: string | undefined, setting: string): void {
  if (value === undefined || /^[\x20-\x7e]*$/.test(value.trim())) return;
  throw new WaypostError(
    "not_configured",
    `${setting} has a character that no header can carry: it must be plain ASCII.`,
  );
}
