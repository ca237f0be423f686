import { canonicalJson } from "./canonical.ts";
import type { SessionContext } from "./types.ts";

/** What devices can edit of a session; each field merges on its own. */
export interface SessionFields {
  title: string;
  model_preference: string | null;
  framing: string;
  local_knowledge: string[];
  constraints: string[];
}

export type FieldName = keyof SessionFields;
export const fieldNames = ["title", "model_preference", "framing", "local_knowledge", "constraints"] as const;

/** Who set a field last, and when. A field without a mark was never set by anyone (a title may still be derived). */
export type FieldMarks = Partial<Record<FieldName, { seq: number; device: string }>>;

export interface FieldMerge {
  current: SessionFields;
  marks: FieldMarks;
  proposed: Partial<SessionFields>;
  /** Log position up to which the proposing device knows the session. */
  baseSeq: number;
  /** Its own later edits are no conflict; null when that does not hold. */
  device: string | null;
}

export interface FieldMergeResult {
  /** Fields that get the proposed value. */
  take: Partial<SessionFields>;
  /** Fields that keep the current value although another was proposed. */
  conflicts: FieldName[];
}

export function isEmpty(value: SessionFields[FieldName]): boolean {
  return value === null || value.length === 0;
}

/** The fields a mutation names; what it leaves out stays as it is. */
export function proposedFields(edit: {
  title?: string;
  model_preference?: string | null;
  context?: SessionContext;
}): Partial<SessionFields> {
  const { framing, local_knowledge, constraints } = edit.context ?? {};
  return {
    ...(edit.title === undefined ? {} : { title: edit.title.toWellFormed().trim() }),
    ...(edit.model_preference === undefined ? {} : { model_preference: edit.model_preference?.toWellFormed() || null }),
    ...(framing === undefined ? {} : { framing: framing.toWellFormed() }),
    ...(local_knowledge ? { local_knowledge: local_knowledge.map((fact) => fact.toWellFormed()) } : {}),
    ...(constraints ? { constraints: constraints.map((rule) => rule.toWellFormed()) } : {}),
  };
}

/**
 * Three-way merge, field by field. The stored side wins a conflict, so every device ends with the same value whatever
 * order the conflicting edits arrive in after the first.
 */
export function mergeFields({ current, marks, proposed, baseSeq, device }: FieldMerge): FieldMergeResult {
  const take: Record<string, unknown> = {};
  const conflicts: FieldName[] = [];
  for (const field of fieldNames) {
    const value = proposed[field];
    if (value === undefined || canonicalJson(value) === canonicalJson(current[field])) continue;
    const mark = marks[field];
    const unseen = mark !== undefined && mark.seq > baseSeq;
    // A reset or stale device sends empty values: they count only from a device that saw what they would erase.
    const wouldErase = isEmpty(value) && !isEmpty(current[field]);
    if (unseen && (mark.device !== device || wouldErase)) conflicts.push(field);
    else take[field] = value;
  }
  return { take: take as Partial<SessionFields>, conflicts };
}
