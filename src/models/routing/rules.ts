import { pattern } from "../../pattern.ts";
import type { RouteAsk } from "../types.ts";
import type { Tier } from "./tiers.ts";

/**
 * How `auto` judges a question, without asking anybody: what is looked at, and in which order it decides. Pure. A prompt of
 * any length is read at its beginning and its end only, where people put what they want.
 */

/** Characters read from each end. */
const HEAD = 2000;
const TAIL = 1000;
/** A question of no more characters is short; one script packs a sentence into fewer than another. */
const SHORT = 70;
const SHORT_DENSE = 18;
/** Beyond this it is a document with a question. */
const DOCUMENT = 4000;

interface Verdict {
  tier: Tier;
  because: string;
}

export function classify({ messages, grounded }: Pick<RouteAsk, "messages" | "grounded">): Verdict {
  const asked = messages.findLast(({ role }) => role === "user")?.content ?? "";
  const text = asked.length > HEAD + TAIL ? `${asked.slice(0, HEAD)}\n${asked.slice(-TAIL)}` : asked;
  if (isCode(text)) return { tier: "code", because: "program code" };
  if (REASONING.test(text)) return { tier: "hard", because: "a proof or several steps" };
  if (FORMULA().test(text)) return { tier: "hard", because: "mathematics" };
  if (isCalculation(text)) return { tier: "hard", because: "a calculation in several steps" };
  if (PROGRAMMING.test(text)) return { tier: "code", because: "about programming" };
  if (grounded) return { tier: "general", because: "answered from documents" };
  if (asked.length > DOCUMENT) return { tier: "general", because: "a long text" };
  if (SMALL_TASK.test(text)) return { tier: "quick", because: "a small task" };
  if (WRITING.test(text)) return { tier: "general", because: "writing or explaining" };
  if (isShort(text)) return { tier: "quick", because: "a short question" };
  return { tier: "general", because: "an ordinary question" };
}

/** Signs of source text, stack traces and commands. Two weak ones, or one that occurs nowhere else. */
const CERTAIN_CODE = [
  /```|^[ \t]*(?:diff --git|@@ -\d)/m,
  /\bTraceback \(most recent call last\)|^[ \t]+at [\w$.<>]+ ?\(.*:\d+/m,
  /\b(?:error|warning) ?(?:TS|CS|E|C)\d{3,5}\b/,
  /\b(?:Null\w*|\w+(?:Index|Type|Value|Key|Import|Syntax|Reference|Runtime))(?:Exception|Error)\b|\b[A-Z]\w+(?:Exception|Error): /,
  /\bselect\b[\s\S]{1,150}\bfrom\b[\s\S]{1,150}\b(?:where|join|group by|order by|limit)\b/i,
  /^[ \t]*(?:export |async |public |private |static )*(?:function\b.*\(|def \w+\(|class \w+.*[:{]|func \w+\(|fn \w+\()/m,
];
const WEAK_CODE = [
  /[;{}][ \t]*$/m,
  /=>|===|!==|&&|\|\||::|->/,
  /\b\w+\.\w+\([^)\n]*\)/,
  /\b(?:const|let|var|import|return|elif|printf?|console)\b.*[=({"']/,
  /^[ \t]*[.#]?[\w-]+\s*\{/m,
  /(?:^|\s)--?[a-z][\w-]*(?:[ =]|$)/m,
  /^[+-] {1,}\S/m,
  /`[^`\n]+`/,
];
const isCode = (text: string): boolean =>
  CERTAIN_CODE.some((sign) => sign.test(text)) || WEAK_CODE.filter((sign) => sign.test(text)).length >= 2;

/** Languages, tools and things that only those who program or run computers speak of. */
const PROGRAMMING = new RegExp(
  [
    String.raw`\b(?:python|pandas|numpy|javascript|typescript|java|kotlin|golang|rust|scala|haskell|php|laravel|ruby|rails|perl|bash|zsh|shell|powershell|matlab|excel|vba|latex|node\.?js|react|vue|angular|svelte|next\.?js|django|flask|fastapi|spring boot|pytest|jest|sql|postgres(?:ql)?|mysql|sqlite|mongo(?:db)?|redis|kafka|css|html|json|yaml|xml|regexp?|docker(?:file)?|compose|kubernetes|kubectl|helm|terraform|ansible|cargo|npm|pip|maven|gradle|webpack|vite|git|github|gitlab|linux|ubuntu|nginx|apache|ssh|vim|emacs|vs ?code|csv|aws|s3)\b`,
    "(?:c\\+\\+|c#|\\.net|\\bgo(?:lang)?)(?=\\s(?:code|program|app)|[?.,:]|$)|(?:^|\\s)(?:in|на|en|auf|w) (?:go|c\\+\\+|c#)",
    String.raw`\b(?:unit tests?|source code|stack ?trace|linked list|binary (?:tree|search)|hash ?(?:map|table)|(?:quick|merge|bubble)sort|rate limiter|mutex|deadlock|race condition|refactor|compil\w+|debug\w*|segfault|segmentation fault|endpoint|async|(?:for|while|infinite) loop|one-liner|null pointer|exception|webhook|middleware|dependency injection|commit|merge conflict|pull request|env(?:ironment)? variables?|stderr|stdout|localhost|localstorage|frontend|backend|api)\b`,
    "コード|プログラム|関数|変数|代码|函数|编程|数据库|скрипт|программ\\w+ на|в коде|код на",
  ].join("|"),
  "iu",
);

/** Words by which a derivation, a proof or a weighing of many things is asked for. Stems serve several languages. */
const REASONING = new RegExp(
  [
    String.raw`\b(?:prove|proof|derive|derivation|by induction|lemma|rigorous(?:ly)?|counterexample|decidable|step by step|show each step|show (?:that|the calculation)|work out|optimi[sz]e:|maximi[sz]e|minimi[sz]e|duality|justify(?!-)|argue)\b`,
    String.raw`\b(?:evaluate critically|assess the|weigh\b.*\bagainst|trade-?offs|failure modes|satisf(?:y|ies) all|constraints|find all|for which values|contradict each other|sensitivity|how sensitive)\b`,
    "theorem|théorème|teorem|polynom|eigenvalue|eigenwert|probabilit|wahrscheinlichkeit|prawdopodobie|вероятност|確率|概率",
    "integral of|integrate|differential equation|isomorph|(?:system of|układ) (?:equations|równań)|gleichung|équation|ecuaci|równani|уравнени|方程",
    "udowodnij|wykaż|dowód|wyprowadź|uzasadnij|krok po kroku|beweise|zeige, dass|begründe|schritt für schritt|bestimme alle",
    "démontre|montrer? que|étape par étape|demuestra|demostrar|resuelve|paso a paso|dimostra|passo (?:a|per|dopo) passo|prove que",
    "докажи|доказать|найди все|обоснуй|шаг за шагом|по шагам|証明|求めよ|段階的に|证明|求证|逐步|推导",
  ].join("|"),
  "iu",
);

/** How mathematics is written down. */
const FORMULA = pattern(
  "[a-z0-9)]\\s*\\^[ \\t]*[\\dn(-]|\\b[fgu]\\s*\\(\\s*[a-z][a-z0-9+\\- ]*\\)\\s*=|[≤≥√∑∫∞∀∃]|\\\\(?:frac|sum|int|sqrt)\\b|\\b\\d*[xyzn]\\s*[+-]\\s*\\d*[xyzn]\\b|\\b(?:sin|cos|log|lim) ?[(x]",
  "iu",
);

/** A question full of numbers that asks how much or how likely. */
function isCalculation(text: string): boolean {
  const numbers = text.match(/\d+(?:[.,:]\d+)*/g)?.length ?? 0;
  return (numbers >= 3 && text.length > SHORT && QUANTITY().test(text)) || (numbers >= 8 && text.length < DOCUMENT / 4);
}
const QUANTITY = pattern(
  "\\b(?:how (?:many|much|far|long|likely)|when (?:and where|does|do|will)|what (?:is the|split|share|rate)|which leaves|wie (?:viele?|lange|weit)|ile|combien|cuánt[oa]s?|quant[oaie]s?)\\b|сколько|いくつ|多少",
  "iu",
);

/** What is done to a short text, or greetings: no thinking in it. */
const SMALL_TASK = new RegExp(
  [
    String.raw`^[ \t]*(?:please )?(?:translate|convert|spell|fix the grammar|correct|classify|extract|sort|list the|make this|synonym|opposite)\b`,
    "^[ \\t]*(?:przetłumacz|popraw|übersetze|korrigiere|tradui[st]|corrige|traduce|traduci|traduza|переведи|исправь)",
    "^[ \\t]*(?:hi|hello|hey|thanks|thank you|good (?:morning|evening)|cześć|dzięki|hallo|danke|bonjour|merci|hola|gracias|привет|спасибо|ciao|grazie|bom dia|olá|obrigad[oa]|こんにちは|ありがとう|你好|谢谢)(?![\\p{L}])",
  ].join("|"),
  "iu",
);

/** What calls for more than a line: to write, explain or advise. */
const WRITING = new RegExp(
  [
    String.raw`\b(?:write|draft|explain|compare|summari[sz]e|describe|plan|rewrite|brainstorm|recommend|suggest|tell me about|history of|give me (?:a week|feedback)|pros and cons|differences? between|advice|ideas?|tips|help me|how (?:does|do|should|can)|what (?:should|can|are)|which is better|better|why|depends?|I'm|I am|I have|I keep|my)\b`,
    "napisz|wyjaśnij|opisz|opowiedz|porównaj|streść|poradź|zaproponuj|jak przygotować|pomysł|dlaczego",
    "schreibe|erkläre|vergleiche|fasse|beschreibe|erzähle?|empfiehl|schlag|vorschl|warum|was muss ich|wie spreche",
    "rédige|explique|compare|résume|écris|propose|conseil|pourquoi|raconte|escribe|explica|cómo|resume|ideas|consej|por qué|necesito|recomienda",
    "напиши|объясни|сравни|опиши|расскажи|рассказать|посоветуй|почему|scrivi|spiega|consigli|perché|escreva|sugira",
    "書いて|説明|要約|教えて|何がいい|どうすれば|写一|解释|请写|总结|建议|应该|为什么",
  ].join("|"),
  "iu",
);

const DENSE = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;
const isShort = (text: string): boolean => text.length <= (DENSE.test(text) ? SHORT_DENSE : SHORT);
