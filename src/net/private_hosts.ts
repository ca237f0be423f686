import { resolve4, resolve6 } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { within } from "../time_limit.ts";

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  PRIVATE.addSubnet(network, prefix, "ipv4");
}
/** Of IPv6, only global unicast is public; what embeds an IPv4 address in it is not taken either. */
const PUBLIC6 = new BlockList();
PUBLIC6.addSubnet("2000::", 3, "ipv6");
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const) {
  PRIVATE.addSubnet(network, prefix, "ipv6");
}

/** Names that are never looked up on the public internet (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`). */
const LOCAL_SUFFIX = /\.(localhost|local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/;

/** Whether a host as the URL parser gives it is an address literal or a name that only means something on this network. */
export function isLocalName(hostname: string): boolean {
  const host = hostname.replace(/\.+$/, "").toLowerCase();
  return host.startsWith("[") || isIP(host) !== 0 || !host.includes(".") || LOCAL_SUFFIX.test(host);
}

export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return PRIVATE.check(address, "ipv4");
  if (family === 6) return !PUBLIC6.check(address, "ipv6") || PRIVATE.check(address, "ipv6");
  return true;
}

const LOOKUP_MS = 3_000;

/**
 * Whether a name resolves to a private address, as far as can be told: a resolver that does not answer in time tells
 * nothing, and the fetch that follows decides.
 */
export async function resolvesPrivately(hostname: string): Promise<boolean> {
  const lookups = Promise.all([addresses(resolve4(hostname)), addresses(resolve6(hostname))]);
  return (await within(lookups, LOOKUP_MS, [])).flat().some(isPrivateAddress);
}

const addresses = (lookup: Promise<string[]>): Promise<string[]> => lookup.catch(() => []);
