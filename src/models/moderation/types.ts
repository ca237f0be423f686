/** Which part of a call is looked at: what the caller sends, or what the model answers. */
export type Side = "input" | "output";

export interface Verdict {
  flagged: boolean;
  /** The moderator's own codes, e.g. `violence`, `self-harm/intent`, `S1`; sorted. */
  categories: string[];
}

/** Text to judge: an answer with what it answers. */
export interface Exhibit {
  side: Side;
  text: string;
  /** What the user asked, for an answer. */
  question?: string;
}

export interface Moderator {
  /** Who judges, e.g. `openai/omni-moderation-latest`. */
  id: string;
  /** @throws WaypostError `moderation_unavailable` */
  judge(exhibit: Exhibit, signal: AbortSignal): Promise<Verdict>;
}

/** What is done when the moderator does not answer: refuse the call, or let it pass unjudged. */
export type OnFailure = "closed" | "open";

/** How one account's calls are moderated whether they ask for it or not. */
export interface Policy {
  check: readonly Side[];
  onFailure: OnFailure;
  /** Keep the flagged text with the log entry. */
  keepContent: boolean;
}
