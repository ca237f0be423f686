import { describe, expect, it } from "vitest";
import { mergeFields, proposedFields, type SessionFields } from "./mutation_merge.ts";

const current: SessionFields = {
  title: "Trip",
  model_preference: "auto",
  framing: "",
  local_knowledge: ["It rains"],
  constraints: [],
};
const marks = { title: { seq: 10, device: "other" }, local_knowledge: { seq: 20, device: "mine" } };

const merge = (proposed: Partial<SessionFields>, baseSeq: number) =>
  mergeFields({ current, marks, proposed, baseSeq, device: "mine" });

describe("field merge", () => {
  it("takes a field that nobody else changed since the base", () => {
    expect(merge({ title: "Journey" }, 10)).toEqual({ take: { title: "Journey" }, conflicts: [] });
    expect(merge({ framing: "Be brief" }, 0)).toEqual({ take: { framing: "Be brief" }, conflicts: [] });
  });

  it("keeps the stored value when another device set a different one since, field by field", () => {
    expect(merge({ title: "Journey", constraints: ["No flights"] }, 9)).toEqual({
      take: { constraints: ["No flights"] },
      conflicts: ["title"],
    });
  });

  it("sees no conflict in equal values", () => {
    expect(merge({ title: "Trip", local_knowledge: ["It rains"] }, 0)).toEqual({ take: {}, conflicts: [] });
  });

  it("lets a device follow up on its own edit", () => {
    expect(merge({ local_knowledge: ["It snows"] }, 5).take).toEqual({ local_knowledge: ["It snows"] });
  });

  it("lets an empty value erase only what the device has seen, even if it wrote it itself", () => {
    expect(merge({ local_knowledge: [] }, 19).conflicts).toEqual(["local_knowledge"]);
    expect(merge({ local_knowledge: [] }, 20).take).toEqual({ local_knowledge: [] });
  });
});

describe("proposed fields", () => {
  it("are only those that were named; null clears a model preference", () => {
    expect(proposedFields({})).toEqual({});
    expect(proposedFields({ title: " A ", model_preference: null, context: { constraints: [] } })).toEqual({
      title: "A",
      model_preference: null,
      constraints: [],
    });
  });
});
