import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encode as cl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { encode as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, test } from "vitest";
import { boundTokens, estimateTokens, utf8Bytes } from "../../src/models/tokens.ts";
import { randomFrom } from "../random.ts";

/** The estimate beside real tokenizers. */

const read = (path: string): string => readFileSync(join(import.meta.dirname, "../..", path), "utf8");
const prices = read("src/models/prices.json");
const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * 2_654_435_761) >>> 0);

const prose: Record<string, string> = {
  English: read("docs/architecture.md").replace(/[`|*#]/g, ""),
  German:
    "Der Kessel schaltet sich selbst aus, sobald das Wasser kocht. Entkalken Sie ihn einmal im Monat mit Zitronensäure und bewahren Sie die Rechnung zwei Jahre lang auf, denn nur mit ihr gilt die Gewährleistung.",
  French:
    "La bouilloire s'éteint d'elle-même dès que l'eau bout. Détartrez-la une fois par mois avec de l'acide citrique et conservez la facture pendant deux ans, car elle seule fait foi de la garantie.",
  Spanish:
    "El hervidor se apaga solo cuando el agua hierve. Descalcifíquelo una vez al mes con ácido cítrico y guarde la factura durante dos años, porque sin ella no hay garantía.",
  Turkish:
    "Su kaynadığında su ısıtıcısı kendiliğinden kapanır. Ayda bir kez sitrik asitle kirecini temizleyin ve faturayı iki yıl boyunca saklayın, çünkü garanti ancak onunla geçerlidir.",
  Russian:
    "Чайник выключается сам, как только вода закипает. Очищайте его от накипи раз в месяц лимонной кислотой и храните чек два года, потому что без него гарантия не действует.",
  Greek:
    "Ο βραστήρας σβήνει μόνος του μόλις βράσει το νερό. Καθαρίζετέ τον από τα άλατα μία φορά τον μήνα και φυλάξτε την απόδειξη για δύο χρόνια, γιατί χωρίς αυτήν δεν ισχύει η εγγύηση.",
  Arabic:
    "تنطفئ الغلاية من تلقاء نفسها عندما يغلي الماء. نظفها من الترسبات مرة كل شهر بحمض الستريك واحتفظ بالفاتورة لمدة عامين لأن الضمان لا يسري بدونها.",
  Hindi:
    "पानी उबलते ही केतली अपने आप बंद हो जाती है। इसे महीने में एक बार साइट्रिक एसिड से साफ करें और रसीद दो साल तक संभालकर रखें, क्योंकि उसके बिना वारंटी मान्य नहीं होती।",
  Thai: "กาต้มน้ำจะปิดเองเมื่อน้ำเดือด ควรทำความสะอาดคราบตะกรันเดือนละครั้งด้วยกรดซิตริก และเก็บใบเสร็จไว้สองปีเพราะหากไม่มีใบเสร็จการรับประกันจะไม่มีผล",
  Chinese:
    "水一烧开，水壶就会自动断电。请每个月用柠檬酸清除一次水垢，并将发票保存两年，因为没有发票就无法享受保修服务。如果水壶漏水，请立即停止使用并联系售后。",
  Japanese:
    "お湯が沸くと、ケトルは自動的に電源が切れます。月に一度はクエン酸で水垢を取り除き、領収書は二年間保管してください。領収書がないと保証を受けることができません。",
  Korean:
    "물이 끓으면 주전자는 자동으로 꺼집니다. 한 달에 한 번 구연산으로 물때를 제거하고 영수증은 이 년 동안 보관하세요. 영수증이 없으면 보증을 받을 수 없습니다.",
};

const others: Record<string, string> = {
  TypeScript: ["src/gate/gate.ts", "src/vault/messages.ts", "src/ledger/books.ts"].map(read).join("\n"),
  Markdown: read("docs/architecture.md"),
  "JSON, indented": prices.slice(0, 40_000),
  "JSON, dense": JSON.stringify(JSON.parse(prices)).slice(0, 40_000),
  TOML: read("wrangler.toml"),
  digits: numbers(300).join(", "),
  hexadecimal: numbers(300)
    .map((n) => n.toString(16).padStart(8, "0"))
    .join("-"),
  base64: Buffer.from(read("docs/architecture.md").slice(0, 6_000)).toString("base64"),
  table: numbers(200)
    .map((n, i) => `| ${i} | item-${i} | ${(n % 1000) / 10} | ok |`)
    .join("\n"),
  log: numbers(200)
    .map((n, i) => `2026-01-31T12:00:00.${100 + i}Z INFO [worker-${i}] id=${n.toString(16)} status=200 ms=${i}`)
    .join("\n"),
  emoji: "😀🎉🚀👍🏽👨‍👩‍👧‍👦🔥✨🇩🇪".repeat(10),
};

const within = (text: string, tokens: number): number => Math.abs(estimateTokens(text) / tokens - 1);

describe("the estimate is within a quarter of o200k", () => {
  test.each(Object.entries({ ...prose, ...others }))("%s", (_, text) => {
    expect(within(text, o200k(text).length)).toBeLessThanOrEqual(0.25);
  });
});

describe("and of cl100k in what it was made for", () => {
  const { emoji: _, ...plain } = others;
  test.each(Object.entries({ English: prose.English as string, ...plain }))("%s", (_, text) => {
    expect(within(text, cl100k(text).length)).toBeLessThanOrEqual(0.25);
  });
});

test("the bound is one: for any text, by both tokenizers, also for the estimate", () => {
  const random = randomFrom(3);
  const pieces = [
    ...Object.values(prose),
    ...Object.values(others),
    "\ud800",
    "\u0000",
    "\ufdfa",
    "﷽",
    "\u{1f1e9}",
    "a\u0301\u0301",
    "<|endoftext|>",
    "  \n\t ",
    "0",
    "__",
  ];
  for (let round = 0; round < 400; round++) {
    const text = Array.from({ length: 1 + random() * 6 }, () => {
      const piece = pieces[Math.floor(random() * pieces.length)] as string;
      const start = Math.floor(random() * piece.length);
      return piece.slice(start, start + Math.floor(random() * 40));
    }).join("");
    const bytes = utf8Bytes(text);
    expect(estimateTokens(text)).toBeLessThanOrEqual(bytes);
    const special = { disallowedSpecial: new Set<string>() };
    for (const encode of [o200k, cl100k]) expect(encode(text, special).length).toBeLessThanOrEqual(bytes);
    expect(boundTokens([{ role: "user", content: text }])).toBeGreaterThan(bytes);
  }
});

test("nothing takes no tokens, and anything at least one", () => {
  expect(estimateTokens("")).toBe(0);
  for (const text of [" ", "\n", "a", "é", "字", "\u0000"]) expect(estimateTokens(text)).toBe(1);
});
