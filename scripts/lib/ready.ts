import { StartFailure } from "./failure.ts";

/**
 * Asks the Worker whether it can work as it is set up: a setting that it cannot read is told now, not with the first call
 * that needs it.
 * @throws StartFailure naming each setting that is wrong
 */
export async function expectSettingsRead(url: string): Promise<void> {
  const { settings = [] } = (await (await fetch(`${url}/ready`)).json()) as { settings?: string[] };
  if (settings.length > 0) throw new StartFailure(settings.map((fault) => fault.replace(/\.$/, "")).join("; "));
}
