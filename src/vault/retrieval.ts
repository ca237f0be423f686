import { fail, type Result } from "../errors.ts";
import type { FetchedItem, SearchReply, SearchRequest } from "./types.ts";

export function createSchema(_storage: DurableObjectStorage): void {}
export function search(_storage: DurableObjectStorage, request: SearchRequest): Result<SearchReply> {
  return fail("not_found", request.query);
}
export function fetchItem(_storage: DurableObjectStorage, id: string): Result<FetchedItem> {
  return fail("not_found", id);
}
