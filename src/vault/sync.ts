import { fail, type Result } from "../errors.ts";
import type * as T from "./types.ts";

export function push(_storage: DurableObjectStorage, request: T.PushRequest): Result<T.PushReply> {
  return fail("not_found", request.device_id);
}
export function pull(_storage: DurableObjectStorage, _request: T.PullRequest): Result<T.PullReply> {
  return fail("not_found", "");
}
