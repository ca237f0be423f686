import { pattern } from "../../pattern.ts";
import type { Found } from "./types.ts";

const LINE = "[A-Za-z0-9_-]";
const START = "(?<![A-Za-z0-9_-])";

/** Credentials that name their kind at their beginning. */
const KNOWN = new RegExp(
  `${START}(?:${[
    `wp_[0-9a-z]{16}_[0-9a-z]{40}_[0-9a-z]{7}`,
    `sk-(?:proj-|ant-|or-v1-|svcacct-|admin-)?${LINE}{16,400}`,
    "[prs]k_(?:live|test)_[0-9A-Za-z]{10,200}",
    "whsec_[0-9A-Za-z+/=]{16,200}",
    "gh[opusr]_[0-9A-Za-z]{30,255}|github_pat_[0-9A-Za-z_]{22,255}|glpat-[0-9A-Za-z_-]{20,100}",
    "xox[abeoprs]-[0-9A-Za-z-]{10,250}|xapp-[0-9A-Za-z-]{10,250}",
    "(?:AKIA|ASIA)[0-9A-Z]{16}",
    `AIza${LINE}{35}|ya29\\.${LINE}{20,400}|GOCSPX-${LINE}{20,60}`,
    `SG\\.${LINE}{16,32}\\.${LINE}{30,60}`,
    "npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{50,400}|dckr_pat_[0-9A-Za-z_-]{20,60}",
    "hf_[0-9A-Za-z]{30,60}|gsk_[0-9A-Za-z]{40,80}|xai-[0-9A-Za-z]{40,120}|r8_[0-9A-Za-z]{30,60}",
    "do[oprt]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|key-[0-9a-f]{32}",
    "tskey-[0-9a-zA-Z-]{20,100}|lin_api_[0-9A-Za-z]{30,60}|ntn_[0-9A-Za-z]{40,60}|AGE-SECRET-KEY-1[0-9A-Z]{50,70}",
  ].join("|")})(?![A-Za-z0-9])`,
  "g",
);
const JWT = new RegExp(`${START}eyJ${LINE}{8,}\\.eyJ${LINE}{4,}\\.${LINE}*`, "g");
const AUTHORIZATION = /\b(?:Bearer|Basic)\s{1,3}([A-Za-z0-9._~+/-]{16,2000}={0,2})/g;
const IN_URL = /:\/\/[^\s:/@?#]{0,100}:([^\s:/@?#]{1,200})@/g;

/** A word for a secret, an = or : or "is", and what follows. */
const SAID = pattern(
  "(?:passw(?:or[dt]|d)|pwd|passphrase|kennwort|mot de passe|contraseña|senha|secret|token|api[ _-]?key|apikey|access[ _-]?key|private[ _-]?key|client[ _-]?secret|auth[ _-]?key|пароль|密码|密碼|パスワード)[\"'`*\\]]{0,3}(\\s{0,3}(?:=>|:=|[:=：])|\\s{1,3}(?:is|was|ist|lautet|est|es|é)(?=[\\s:]))[\\s:]{0,3}[\"'`]?([^\\s\"'`<>,;，。]{6,300})",
  "giu",
);

/** API keys, tokens, passwords and private keys: by their known beginnings, or by the word before them. */
export function findSecrets(text: string): Found[] {
  const found: Found[] = [...privateKeys(text)];
  const take = (match: RegExpExecArray, value: string): void => {
    const start = match.index + match[0].lastIndexOf(value);
    found.push({ label: "KEY", start, end: start + value.length });
  };
  for (const pattern of [KNOWN, JWT]) for (const match of text.matchAll(pattern)) take(match, match[0]);
  for (const match of text.matchAll(IN_URL)) {
    const start = match.index + match[0].length - 1 - (match[1] as string).length;
    found.push({ label: "KEY", start, end: start + (match[1] as string).length });
  }
  for (const match of text.matchAll(AUTHORIZATION))
    if (looksRandom(match[1] as string, 16)) take(match, match[1] as string);
  for (const match of text.matchAll(SAID())) {
    const value = (match[2] as string).replace(/[.?)\]}*]+$/, "");
    if (isSecret(value, /[=:\uff1a]/.test(match[1] as string))) take(match, value);
  }
  return found.sort((a, b) => a.start - b.start);
}

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

/** PEM blocks; one without an end goes to the end of the text. */
function privateKeys(text: string): Found[] {
  const found: Found[] = [];
  for (let at = 0; ; ) {
    BEGIN.lastIndex = at;
    const begin = BEGIN.exec(text);
    if (!begin) return found;
    END.lastIndex = begin.index + begin[0].length;
    const end = END.exec(text);
    at = end ? end.index + end[0].length : text.length;
    found.push({ label: "KEY", start: begin.index, end: at });
  }
}

const LETTER = pattern(String.raw`\p{L}`, "u");
const MARK = pattern(String.raw`[^\p{L}\p{N}]`, "u");
const RARE_MARK = pattern(String.raw`[^\p{L}\p{N}._-]`, "u");

/** After = or : a password may be a plain word with a digit; after "is" it must look like nothing else. */
function isSecret(value: string, assigned: boolean): boolean {
  if (
    /^(?:\$\{?|process\.env|os\.environ|env\.|<|\{\{|\*+$|x+$|\.+$|https?:\/\/)/i.test(value) ||
    /\($|\(\)/.test(value)
  )
    return false;
  const [letters, digits, marks] = [LETTER(), /\d/, MARK()].map((kind) => kind.test(value));
  if (!letters || (/^\d/.test(value) && /^[\d.,:/-]+$/.test(value)))
    return Boolean(digits && assigned && /^\d{6,}$/.test(value));
  if (digits) return assigned || Boolean(marks) || looksRandom(value, 8);
  return assigned && Boolean(marks) && RARE_MARK().test(value) && value.length >= 8;
}

/** Letters and digits mixed, with few repeats: at least 3 bits a character, as far as the length allows. */
export function looksRandom(value: string, least: number): boolean {
  if (value.length < least || !/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  return entropy(value) >= Math.min(3, Math.log2(value.length) * 0.8);
}

/** Bits a character, by how often each occurs in the value itself. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}
