import { describe, expect, it } from "vitest";
import { fold } from "./fold.ts";
import { indexed, subwords, tokenize } from "./tokens.ts";

function* characters(): Generator<string> {
  for (let code = 0; code < 0x110000; code++) {
    const character = String.fromCodePoint(code);
    if (/[\p{L}\p{N}\p{M}]/u.test(character)) yield character;
  }
}

describe("folding", () => {
  it.each([
    ["чёрный", "черный"],
    ["за\u0301мок", "замок"],
    ["café", "cafe"],
    ["cafe\u0301", "CAFÉ"],
    ["Ελλάδα", "ελλαδα"],
    ["ΛΌΓΟΣ", "λόγος"],
    ["ＨＥＬＬＯ", "hello"],
    ["ﬁle", "file"],
    ["Straße", "STRASSE"],
    ["Fußball", "fussball"],
    ["Łódź", "lodz"],
    ["smørrebrød", "smorrebrod"],
    ["DİYARBAKIR", "diyarbakır"],
    ["Đà Nẵng".normalize("NFD"), "da nang"],
    ["שָׁלוֹם", "שלום"],
    ["كِتَابٌ", "كتاب"],
    ["كتـــاب", "كتاب"],
    ["أحمد", "احمد"],
    ["مدرسة", "مدرسه"],
    ["کتابی", "كتابي"],
    ["ﻻ", "لا"],
    ["٢٠٢٤", "2024"],
    ["२०२४", "2024"],
    ["ｶﾞｲﾄﾞ", "ガイド"],
    ["차".normalize("NFD"), "차"],
    ["น้ำ", "นํ้า"],
    ["क\u093c", "\u0958"],
    ["അവൻ", "അവന്\u200d"],
    ["Fuß\u00adball", "Fussball"],
  ])("%s and %s are one word", (one, other) => {
    expect(indexed(one)).toBe(indexed(other));
  });

  it.each([
    ["мой", "мои"],
    ["їх", "іх"],
    ["कल", "काल"],
    ["কলা", "কালা"],
    ["அவன்", "அவன"],
    ["ガス", "カス"],
    ["ไม่", "ไม"],
    ["سأل", "سؤل"],
  ])("%s and %s are two", (one, other) => {
    expect(fold(one)).not.toBe(fold(other));
  });

  it("folds what is folded to itself, every character of Unicode", () => {
    const changed = [...characters()].filter(
      (one) => fold(fold(`x${one}`)) !== fold(`x${one}`) || fold(fold(one)) !== fold(one),
    );
    expect(changed).toEqual([]);
  });

  it("takes no shorter way to another form: every character as if beside one that needs the long way", () => {
    const other = [...characters()].filter((one) => fold(one + one) !== fold(`\u00ad${one}${one}`));
    expect(other).toEqual([]);
  });

  it("knows the value of every decimal digit", () => {
    // Unicode has them in tens, in order: the n-th digit has the value n mod 10.
    const digits = [...characters()].filter((one) => /\p{Nd}/u.test(one));
    expect(digits.map(fold)).toEqual(digits.map((_, i) => String(i % 10)));
  });
});

describe("what is indexed", () => {
  it.each([
    ["Рабочий день", "рабочий день"],
    ["東京都", "東京 京都 都"],
    ["図", "図"],
    ["iPhoneを使う", "iphone を使 使う う"],
    ["2024年", "2024 年"],
    ["ภาษาไทย", "ภา าษ ษา าไ ไท ทย ย"],
    ["ចំណី", "ចំណី ណី"],
    ["м'ята мʼята м’ята", "м ята м ята м ята"],
    ["می\u200cخواهم", "مي خواهم"],
    ["ශ්\u200dරී", "ශ්රී"],
    ["葛\u{e0100}城", "葛城 城"],
    ["x\u0000\u0001 - !", "x"],
  ])("of %j is %j", (text, words) => {
    expect(indexed(text)).toBe(words);
  });

  it("says nothing of marks alone and unseen characters", () => {
    expect(indexed("\u0301 \u00ad \u3164 \ufe0f")).toBe("");
  });

  it("has each word of a text in its place", () => {
    const text = "Чай, 東京都 и ｶﾞｲﾄﾞ";
    expect(tokenize(text).map(({ word, start, end }) => [word, text.slice(start, end)])).toEqual([
      ["чай", "Чай"],
      ["東京", "東京"],
      ["京都", "京都"],
      ["и", "и"],
      ["ガイ", "ｶﾞｲ"],
      ["イド", "ｲﾄﾞ"],
    ]);
  });

  it("has the parts of names folded", () => {
    expect(subwords("fetchÉtéProfile мойРабочийДень").join(" ")).toBe("fetch ete profile мой рабочий день");
  });

  it("is found in linear time in hostile input", async () => {
    const started = performance.now();
    for (const text of [
      "a\u00ad".repeat(200_000),
      `a${"\u00ad".repeat(400_000)}`,
      "\ufe0f\u00ad".repeat(200_000),
      "図".repeat(200_000),
      "\u0301".repeat(400_000),
    ])
      indexed(text);
    // The clock of a Worker moves with its input and output only.
    await scheduler.wait(1);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
