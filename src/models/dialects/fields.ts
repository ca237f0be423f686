import { WaypostError } from "../../errors.ts";

/** A JSON object of a request. */
export type Fields = Record<string, unknown>;

/** @throws WaypostError `invalid_input` naming the field */
export function refuse(path: string, message: string): never {
  throw new WaypostError("invalid_input", `${path}: ${message}.`, { issues: [{ path, message: `${message}.` }] });
}

export const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Absent and null are the same to every dialect. */
export const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

export function object(value: unknown, path: string): Fields {
  return isObject(value) ? value : refuse(path, "must be an object");
}

export function list(value: unknown, path: string): unknown[] {
  return Array.isArray(value) ? value : refuse(path, "must be a list");
}

export function text(value: unknown, path: string): string {
  return typeof value === "string" ? value : refuse(path, "must be a string");
}

/** A name or an id: something must stand there. */
export function name(value: unknown, path: string): string {
  const given = text(value, path);
  return given === "" ? refuse(path, "must not be empty") : given;
}

export function optionalText(value: unknown, path: string): string | undefined {
  return isAbsent(value) ? undefined : text(value, path);
}

export function optionalFlag(value: unknown, path: string): boolean | undefined {
  if (isAbsent(value)) return undefined;
  return typeof value === "boolean" ? value : refuse(path, "must be true or false");
}

export function optionalNumber(value: unknown, path: string, least: number, most: number): number | undefined {
  if (isAbsent(value)) return undefined;
  const fits = typeof value === "number" && value >= least && value <= most;
  return fits ? value : refuse(path, `must be a number from ${least} to ${most}`);
}

/** A number of tokens or the like. */
export function optionalCount(value: unknown, path: string, least = 1): number | undefined {
  if (isAbsent(value)) return undefined;
  const fits = Number.isSafeInteger(value) && (value as number) >= least;
  return fits ? (value as number) : refuse(path, `must be a whole number of at least ${least}`);
}

export function oneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  return found ?? refuse(path, `must be one of ${allowed.join(", ")}`);
}

export function optionalOneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): T | undefined {
  return isAbsent(value) ? undefined : oneOf(value, path, allowed);
}

/** Without the fields that are undefined. */
export function defined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** What a request may not ask for, and why; a value that asks for nothing is let through. */
export type Refused = Record<string, { asks: (value: unknown) => boolean; why: string }>;

export const present = (value: unknown): boolean => !isAbsent(value);
export const turnedOn = (value: unknown): boolean => !isAbsent(value) && value !== false;
export const filled = (value: unknown): boolean => !isAbsent(value) && Object.keys(value as object).length > 0;

/** @throws WaypostError `invalid_input` naming the first field that asks for what cannot be given */
export function refuseFields(body: Fields, refused: Refused): void {
  for (const [field, { asks, why }] of Object.entries(refused)) {
    if (asks(body[field])) refuse(field, why);
  }
}
