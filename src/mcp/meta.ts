/** Names in `_meta`: what a call cost and how to repeat it safely. */
export const META = {
  callId: "waypost/call-id",
  costNano: "waypost/cost-nano-usd",
  replayed: "waypost/idempotency-replayed",
  funding: "waypost/funding",
  priceVersion: "waypost/price-version",
  planTokensLeft: "waypost/plan-tokens-left",
  creditLeftNano: "waypost/credit-left-nano-usd",
  resetsAt: "waypost/plan-resets-at",
  idempotencyKey: "waypost/idempotency-key",
  problem: "waypost/problem",
} as const;
