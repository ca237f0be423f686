import { expect, it } from "vitest";
import { account, rest } from "./client.ts";

it("a document in any script is found and answered from over REST", async () => {
  const { key } = await account("pro");
  const documents = [
    { id: "ru", title: "Чай", text: "Зелёный чай. Рабочий день" },
    { id: "hi", title: "पुस्तकालय", text: "पुस्तकालय सुबह नौ बजे खुलता है।" },
    { id: "el", title: "-", text: "Η Ελλάδα είναι χώρα στη Μεσόγειο." },
    { id: "th", title: "-", text: "ห้องสมุดเปิดเก้าโมงเช้า" },
  ];
  expect((await rest(key, "POST", "/v1/documents", { documents })).status).toBe(200);
  for (const [query, id] of [
    ["чай", "ru"],
    ["зеленый", "ru"],
    ["पुस्तकालय", "hi"],
    ["ελλαδα", "el"],
    ["ห้องสมุด", "th"],
  ] as const) {
    const { body } = await rest(key, "POST", "/v1/search", { query });
    expect(body.results.map((each: { document_id: string }) => each.document_id)).toEqual([id]);
    const { body: answer } = await rest(key, "POST", "/v1/chat", { message: query, model: "local/extractive" });
    expect(JSON.stringify(answer)).toContain("[1]");
    expect(JSON.stringify(answer)).not.toContain("Nothing in your documents");
  }
});
