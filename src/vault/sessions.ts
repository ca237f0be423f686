import { fail, type Result } from "../errors.ts";
import type * as T from "./types.ts";

export function createSchema(_storage: DurableObjectStorage): void {}
export function listSessions(_storage: DurableObjectStorage, _request: T.ListSessionsRequest): Result<T.SessionPage> {
  return fail("not_found", "");
}
export function readSession(_storage: DurableObjectStorage, request: T.ReadSessionRequest): Result<T.Session> {
  return fail("not_found", request.session_id);
}
export function appendTurn(_storage: DurableObjectStorage, request: T.AppendTurnRequest): Result<T.AppendTurnReply> {
  return fail("not_found", request.session_id);
}
