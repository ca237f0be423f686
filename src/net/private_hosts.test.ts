import { describe, expect, it } from "vitest";
import { isLocalName, isPrivateAddress } from "./private_hosts.ts";

const hostOf = (url: string): string => new URL(url).hostname;

describe("hosts of client metadata documents", () => {
  it("that are addresses in any notation, or names of this network, are refused", () => {
    for (const url of [
      "https://127.0.0.1/",
      "https://127.1/",
      "https://2130706433/",
      "https://0x7f000001/",
      "https://0x7f.1/",
      "https://0177.0.0.1/",
      "https://10.0.0.1/",
      "https://8.8.8.8/",
      "https://169.254.169.254/",
      "https://127.0.0.1./",
      "https://１２７.0.0.1/",
      "https://[::1]/",
      "https://[::ffff:127.0.0.1]/",
      "https://[::ffff:7f00:1]/",
      "https://[fe80::1]/",
      "https://[2606:4700::1111]/",
      "https://localhost/",
      "https://LOCALHOST/",
      "https://localhost./",
      "https://app.localhost/",
      "https://intranet/",
      "https://printer.local/",
      "https://metadata.google.internal/",
      "https://router.home.arpa./",
      "https://nas.lan/",
    ]) {
      expect([url, isLocalName(hostOf(url))]).toEqual([url, true]);
    }
  });

  it("that are public names are taken", () => {
    for (const url of [
      "https://app.example/",
      "https://claude.ai/",
      "https://xn--bcher-kva.example./",
      "https://local.example/",
    ]) {
      expect([url, isLocalName(hostOf(url))]).toEqual([url, false]);
    }
  });

  it("resolve to public addresses alone", () => {
    for (const address of [
      ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.53", "169.254.169.254", "172.16.0.1", "172.31.255.255"],
      ...["192.0.0.8", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
      ...["::", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fc00::1", "fd12::1", "fe80::1", "ff02::1"],
      ...["2001:db8::1", "2002:a00:1::", "2001::1", "nonsense", ""],
    ]) {
      expect([address, isPrivateAddress(address)]).toEqual([address, true]);
    }
    for (const address of [
      "1.1.1.1",
      "172.32.0.1",
      "100.128.0.1",
      "193.0.0.1",
      "2606:4700::1111",
      "2a00:1450:4001::1",
    ]) {
      expect([address, isPrivateAddress(address)]).toEqual([address, false]);
    }
  });
});
