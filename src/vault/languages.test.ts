import { describe, expect, it } from "vitest";
import { openVault } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { fold } from "../search/fold.ts";
import { prepare } from "../search/prepare.ts";
import type { VaultApi } from "./types.ts";

const put = async (vault: VaultApi, id: string, text: string, title = "-") =>
  unwrap(
    await vault.putDocument({
      ...(await prepare({ id, title, text })),
      id,
      url: null,
      sha256: `${title} ${text}`,
      bytes: 1,
      metadata: {},
    }),
  );

const found = async (vault: VaultApi, query: string): Promise<string[]> =>
  unwrap(await vault.search({ query, limit: 50, kinds: ["document"] })).hits.map(
    ({ document_id }) => document_id ?? "",
  );

/** Written with spaces: every word between them and the punctuation is looked for. */
const spaced: Record<string, string> = {
  Russian: "Зелёный чай бодрит каждый рабочий день, а третий отчёт ждёт российский музей. Съешь ещё мягких булок!",
  Ukrainian: "Їжак їсть ґрунтовні ягоди; щодня п'ять кошенят п'ють смачний узвар біля річки Їжачої.",
  Belarusian: "Ўчора ў музеі быў цікавы паказ: ёлкі, дзеці і сьнежныя дарогі.",
  Bulgarian: "Ѝ трябваше само още един щастлив ден край синьото море.",
  Macedonian: "Ѓаволот и ќерката на ѕвездата пијат вода од џбан.",
  Serbian: "Љубазни фењерџија чађавог лица хоће да ми покаже штос.",
  Kazakh: "Қазақстан өзендері ұзын әрі тұнық, үлкен һәм ғажап.",
  Greek: "Η Ελλάδα είναι όμορφη· ο κώδικας του ΐππου γράφει ξανά τσάι, λόγος και ουρανός.",
  Polish: "Zażółć gęślą jaźń, a potem źdźbło trawy w Łodzi.",
  Czech: "Příliš žluťoučký kůň úpěl ďábelské ódy na měsíc.",
  German: "Die Straße führt über grüne Hügel, wo Fußball größer heißt als Käse.",
  French: "Dès Noël, où un zéphyr haï me vêt de glaçons, naïve œuvre cachée.",
  Turkish: "Iğdır'da İstanbullu şoför, çığ altında ışıl ışıl güldü.",
  Vietnamese: "Mỗi buổi sáng tôi uống một cốc cà phê sữa đá ngoài phố.",
  Icelandic: "Kæmi ný öxi hér, ykist þjófum nú bæði víl og ádrepa.",
  Hindi: "हिन्दी पुस्तकालय में पुरानी किताबें हैं और विद्यार्थी पढ़ते रहते हैं।",
  Marathi: "मराठी भाषेतील कविता आणि ज्ञानेश्वरी खूप प्रसिद्ध आहेत।",
  Nepali: "नेपालमा अग्ला हिमालहरू छन् र पर्यटकहरू त्यहाँ आउँछन्।",
  Bengali: "সবুজ ধানের ক্ষেতে কৃষকেরা সারাদিন পরিশ্রম করেন।",
  Punjabi: "ਪੰਜਾਬੀ ਬੋਲੀ ਬਹੁਤ ਮਿੱਠੀ ਤੇ ਪੁਰਾਣੀ ਹੈ।",
  Gujarati: "ગુજરાતી થાળીમાં મીઠાઈ અને રોટલી મળે છે.",
  Tamil: "தேநீர் குடித்துவிட்டு மாணவர்கள் நூலகத்திற்குச் சென்றார்கள்.",
  Telugu: "తెలుగు కథలు పిల్లలకు ఎంతో ఇష్టమైనవి.",
  Kannada: "ಕನ್ನಡ ಸಾಹಿತ್ಯವು ಪ್ರಾಚೀನವಾದುದು ಮತ್ತು ಸಮೃದ್ಧವಾಗಿದೆ.",
  Malayalam: "മലയാളത്തിൽ എഴുതിയ കവിതകൾ അവൻ വായിച്ചു.",
  Sinhala: "ශ්‍රී ලංකාවේ තේ වතු ඉතා සුන්දරයි.",
  Hebrew: "שָׁלוֹם לְכָל הַיְלָדִים, הַסֵּפֶר הֶחָדָשׁ נִמְצָא בַּסִּפְרִיָּה.",
  Arabic: "كِتَابٌ جَدِيدٌ فِي المَكْتَبَةِ، وأسئلة كثيرة على الطاولة إلى مساءٍ هادئ.",
  Persian: "او هر روز به کتابخانهٔ بزرگ می‌رود و چای می‌نوشد.",
  Urdu: "میں نے لائبریری سے ایک دلچسپ کتاب پڑھنے کے لیے ہے۔",
  Armenian: "Հայաստանը գեղեցիկ երկիր է և ունի հին եկեղեցիներ։",
  Georgian: "საქართველო ლამაზი ქვეყანაა და ღვინო უძველესია.",
  Amharic: "ኢትዮጵያ ውብ ሀገር ናት፤ ቡና የተገኘው ከዚያ ነው።",
  Dhivehi: "ދިވެހި ބަހަކީ ރީތި ބަހެކެވެ",
  Tibetan: "བོད་ཡིག་ནི་སྙན་ངག་གི་སྐད་ཡིན།",
  Mongolian: "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ ᠪᠢᠴᠢᠭ",
  Cherokee: "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎠᏂᏴᏫᏯ",
  Korean: "따뜻한 차 한 잔이 학교에서 공부하는 학생들을 기쁘게 한다.",
};

/** Written without spaces: the words that stand in the sentence. */
const unspaced: Record<string, [string, string]> = {
  Chinese: [
    "市立图书馆每天早上九点开门,学生们喜欢在这里喝茶读书。",
    "图书馆 每天 早上 九点 开门 学生 喜欢 喝茶 读书 馆 茶 市立",
  ],
  Japanese: [
    "東京都の図書館でｺｰﾋｰとガラスのコップをｶﾞｲﾄﾞが借りた、ノーベル賞。",
    "東京都 図書館 コーヒー ガラス コップ ガイド 借りた ガ 図 書 館 賞 ノーベル賞",
  ],
  Thai: ["นักเรียนกำลังอ่านหนังสือภาษาไทยและดื่มน้ำในห้องสมุด", "นักเรียน กำลัง อ่าน หนังสือ ภาษาไทย ไทย ดื่ม น้ำ ห้องสมุด"],
  Lao: ["ນັກຮຽນກຳລັງອ່ານປຶ້ມຢູ່ຫ້ອງສະໝຸດ", "ນັກຮຽນ ກຳລັງ ອ່ານ ປຶ້ມ ຢູ່ ຫ້ອງສະໝຸດ"],
  Khmer: ["សិស្សកំពុងអានសៀវភៅភាសាខ្មែរនៅក្នុងបណ្ណាល័យ", "សិស្ស កំពុង អាន សៀវភៅ ភាសា ខ្មែរ បណ្ណាល័យ"],
  Burmese: ["ကျောင်းသားများသည်စာကြည့်တိုက်တွင်မြန်မာစာဖတ်နေသည်", "ကျောင်းသား စာကြည့်တိုက် မြန်မာစာ ဖတ် နေသည်"],
};

const texts = { ...spaced, ...Object.fromEntries(Object.entries(unspaced).map(([name, [text]]) => [name, text])) };
const wordsOf = (name: string): string[] =>
  unspaced[name]?.[1].split(" ") ?? (texts[name] as string).split(/[\s\p{P}]+/u).filter(Boolean);

describe("every word finds its document among those of all other languages", () => {
  it("in titles as in texts, as typed, in capitals, decomposed and composed", async () => {
    const { vault } = openVault();
    for (const [name, text] of Object.entries(texts)) await put(vault, name, text);
    for (const [name, text] of Object.entries(texts)) await put(vault, `title of ${name}`, "-", text);
    const lost: string[] = [];
    for (const [name, text] of Object.entries(texts)) {
      for (const word of wordsOf(name)) {
        for (const form of new Set([word, word.toUpperCase(), word.normalize("NFD"), word.normalize("NFC")])) {
          const hits = await found(vault, form);
          if (!hits.includes(name) || !hits.includes(`title of ${name}`)) lost.push(`${name}: ${form}`);
          const first = texts[hits[0]?.replace("title of ", "") ?? ""] ?? "";
          if (first !== text && !fold(first).includes(fold(word))) lost.push(`${name} first: ${form}`);
        }
      }
    }
    expect(lost).toEqual([]);
  });

  it("before those that have only some of the words", async () => {
    const { vault } = openVault();
    await put(vault, "two", "Рабочий день, день за днём. Рабочий стол и рабочий стул.");
    await put(
      vault,
      "three",
      "Сегодня начался мой рабочий день. Погода хорошая, кофе горячий, за окном светит солнце.",
    );
    await put(vault, "one", "Мой дом, мой сад, мой кот.");
    await put(vault, "run", "市立図書館");
    await put(vault, "parts", "図書の館長、書館長図書の館長、書館長");
    expect((await found(vault, "мой рабочий день"))[0]).toBe("three");
    expect((await found(vault, "図書館"))[0]).toBe("run");
  });
});

describe("forms that people type for each other find each other", () => {
  it.each([
    ["Чёрный кот", "черный"],
    ["Черный кот", "чёрный"],
    ["Un café noir", "cafe"],
    ["Un cafe noir", "CAFÉ"],
    ["Η Ελλάδα", "ελλαδα"],
    ["ΕΛΛΑΔΑ", "Ελλάδα"],
    ["ＨＥＬＬＯ there", "hello"],
    ["hello there", "ＨＥＬＬＯ"],
    ["a \ufb01ne day", "fine"],
    ["Lange Straße", "Strasse"],
    ["LANGE STRASSE", "straße"],
    ["Fußball im Park", "fussball"],
    ["كِتَابٌ جديد", "كتاب"],
    ["كتاب جديد", "كِتَابٌ"],
    ["أحمد هنا", "احمد"],
    ["مدرسة كبيرة", "مدرسه"],
    ["שָׁלוֹם לכולם", "שלום"],
    ["שלום לכולם", "שָׁלוֹם"],
    ["Łódź leży tu", "lodz"],
    ["Подвір’я м'яке", "подвірʼя"],
    ["ﾉｰﾍﾞﾙ賞", "ノーベル"],
    ["год ٢٠٢٤", "2024"],
  ])("%j by %j", async (text, query) => {
    const { vault } = openVault();
    await put(vault, "it", text);
    await put(vault, "other", "Something else. Что-то другое.");
    expect(await found(vault, query)).toEqual(["it"]);
  });
});

describe("a hit", () => {
  it("shows the text as it was posted, where the words stand, and names them", async () => {
    const { vault } = openVault();
    const filler = (words: string) => `${words} `.repeat(40);
    await put(vault, "ru", `${filler("Прочие слова.")}Зелёный чай заваривают каждый день. ${filler("Ещё слова.")}`);
    await put(vault, "th", `${"อากาศดีมาก".repeat(60)}ห้องสมุด${"อากาศดีมาก".repeat(60)}`);
    const hit = async (query: string) => unwrap(await vault.search({ query, limit: 30, kinds: ["document"] })).hits[0];
    expect(await hit("зеленый чай")).toMatchObject({
      document_id: "ru",
      matched: ["зеленый", "чай"],
      snippet: expect.stringContaining("Зелёный чай"),
    });
    expect(await hit("ห้องสมุด")).toMatchObject({
      document_id: "th",
      matched: ["ห้องสมุด"],
      snippet: expect.stringContaining("ห้องสมุด"),
    });
  });
});
