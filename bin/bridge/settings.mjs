import { readFileSync } from "node:fs";

/** A setting that is missing or wrong: told to the person who wrote the configuration. */
export class SettingsError extends Error {}

const DEFAULT_URL = "http://localhost:8787";
const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** @type {string} */
export const VERSION = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;

/**
 * @param {NodeJS.ProcessEnv} environment
 * @param {(line: string) => void} warn
 * @returns {{ url: URL, key: string }} the MCP endpoint and the API key
 * @throws {SettingsError} when the key is missing, or one of both is not of its form
 */
export function readSettings(environment, warn) {
  const key = (environment.WAYPOST_API_KEY ?? "").trim();
  if (key === "") {
    throw new SettingsError("WAYPOST_API_KEY is not set. Set it to an API key of your account, in the client's `env`.");
  }
  // Fetch would refuse it with a message that shows the whole header.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new SettingsError("WAYPOST_API_KEY has characters that no key has. Copy the key again, on one line.");
  }
  const url = readUrl((environment.WAYPOST_URL ?? "").trim() || DEFAULT_URL);
  if (url.protocol === "http:" && !LOOPBACK.test(url.hostname)) {
    warn(`the key goes to ${url.host} unencrypted: use https if anybody else is on that network`);
  }
  return { url, key };
}

/**
 * @param {string} text
 * @returns {URL} of the endpoint: a bare origin is completed
 */
function readUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw new SettingsError(`WAYPOST_URL must be an address such as ${DEFAULT_URL}, not "${text}".`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new SettingsError("WAYPOST_URL must not hold a user or password; the key goes into WAYPOST_API_KEY.");
  }
  if (url.pathname === "/") url.pathname = "/mcp";
  url.hash = "";
  return url;
}
