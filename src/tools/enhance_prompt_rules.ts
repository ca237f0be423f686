import { isStopword } from "../search/stopwords.ts";
import { tokenize } from "../search/tokens.ts";

/** Improves a prompt without a model: sorts what it says, and asks for what it does not say. Pure; English. */

export interface Improved {
  prompt: string;
  changes: string[];
  /** What the author should still say. */
  questions: string[];
}

type Part = "Task" | "Context" | "Audience" | "Constraints" | "Format" | "Example" | "Material";
const ORDER: readonly Part[] = ["Task", "Context", "Audience", "Constraints", "Format", "Example", "Material"];

/** First match wins. */
const SIGNS: readonly [Part, RegExp][] = [
  ["Example", /^(?:for example|e\.g\.|example\b|such as)/i],
  [
    "Audience",
    /\b(?:audience|readers? (?:is|are)|(?:for|to) (?:an? )?(?:\w+ )?(?:beginners?|child(?:ren)?|kids?|experts?|students?|managers?|executives?|developers?|engineers?|customers?|non-technical|laypeople|year[- ]olds?))\b/i,
  ],
  [
    "Format",
    /\b(?:json|yaml|csv|xml|html|markdown|table|bullet(?:s|ed)?|numbered list|list of|headings?|paragraphs?|essay|e-?mail|one sentence|(?:\d+|few|two|three) (?:words|sentences|lines|paragraphs|pages|characters))\b/i,
  ],
  [
    "Constraints",
    /\b(?:must|should(?:n't)?|don'?t|do not|never|avoid|without|only|at most|at least|no more than|no longer than|keep it|make sure|ensure|need to|has to|have to)\b/i,
  ],
];

const ASKS =
  /\?$|^(?:please |then |also )?(?:write|explain|summari[sz]e|list|compare|translate|create|make|build|generate|give|find|fix|improve|rewrite|review|describe|draft|design|plan|analy[sz]e|classify|extract|convert|tell|show|help|suggest|check|prove|solve|calculate|implement|refactor|debug|add|remove|turn|what|why|how|when|where|who|which|can|could|would|is|are|do|does)\b/i;

const POLITE =
  /^(?:(?:hi|hello|hey)(?: there)?[,!.]?\s+)?(?:(?:please|kindly|can you|could you|would you|will you|i want you to|i need you to|i would like you to|i'd like you to)(?: please)?\s+)+/i;

const VAGUE =
  /\b(?:good|nice|better|best|great|stuff|things?|some|somehow|etc|interesting|proper(?:ly)?|appropriate|modern|quick|short|long)\b/gi;

const QUESTIONS: Partial<Record<Part, string>> = {
  Context: "What should the model know first: the situation, the facts, what was tried?",
  Audience: "Who is it for, and what do they know already?",
  Constraints: "What must it keep to, or leave out?",
  Format: "What form should the answer have: length, list, table, JSON?",
};

export function improveByRules(prompt: string): Improved {
  const english = isEnglish(prompt);
  const parts = english ? sorted(prompt) : new Map<Part, string[]>([["Task", [prompt.trim()]]]);
  const changes: string[] = [];
  const questions: string[] = [];
  const task = parts.get("Task") ?? [];
  const asks = task.some((sentence) => ASKS.test(sentence.replace(POLITE, "")));
  if (english && !asks) questions.push("What is to be done? Begin with a verb: write, compare, explain.");
  const first = task.findIndex((sentence) => POLITE.test(sentence));
  if (first >= 0 && english) {
    const bare = (task[first] as string).replace(POLITE, "");
    task[first] = bare.charAt(0).toUpperCase() + bare.slice(1);
    changes.push("Took out the words around the task: it begins with what is to be done.");
  }
  if (parts.size > 1) changes.push(`Sorted it into ${[...parts.keys()].map((part) => part.toLowerCase()).join(", ")}.`);
  for (const [part, question] of Object.entries(QUESTIONS) as [Part, string][]) {
    if (!parts.has(part) && !(part === "Context" && parts.has("Material"))) questions.push(question);
  }
  if (english) questions.push(...vagueWords(prompt));
  const open = (Object.keys(QUESTIONS) as Part[]).filter((part) => questions.includes(QUESTIONS[part] as string));
  if (open.length > 0) changes.push(`Left places to fill in: ${open.map((part) => part.toLowerCase()).join(", ")}.`);
  for (const part of open) parts.set(part, [`[${QUESTIONS[part]}]`]);
  if (english && !asks) parts.set("Task", ["[What is to be done?]", ...task]);
  const sections = ORDER.flatMap((part) => {
    const said = parts.get(part);
    return said ? [`${part}:\n${said.join(part === "Material" ? "\n\n" : "\n")}`] : [];
  });
  return { prompt: sections.join("\n\n"), changes, questions };
}

/** Every sentence in one part, in its order; code and quoted lines are material and stay as they are. */
function sorted(prompt: string): Map<Part, string[]> {
  const parts = new Map<Part, string[]>();
  const add = (part: Part, text: string) => parts.set(part, [...(parts.get(part) ?? []), text]);
  for (const [i, block] of prompt
    .trim()
    .split(/(^```[\s\S]*?(?:^```[^\S\n]*$|(?![\s\S])))/m)
    .entries()) {
    if (i % 2 === 1) add("Material", block);
    else for (const sentence of sentencesOf(block)) add(partOf(sentence), sentence);
  }
  return parts;
}

let segmenter: Intl.Segmenter | undefined;

function sentencesOf(text: string): string[] {
  // Made when it is first needed: it takes milliseconds, which every start would pay.
  segmenter ??= new Intl.Segmenter("en", { granularity: "sentence" });
  const by = segmenter;
  return text
    .split("\n")
    .flatMap((line) => [...by.segment(line)].map(({ segment }) => segment.trim()))
    .filter(Boolean);
}

function partOf(sentence: string): Part {
  if (/^>/.test(sentence)) return "Material";
  const sign = SIGNS.find(([, pattern]) => pattern.test(sentence))?.[0];
  // "List three cities in a table" is a task, whatever else it says.
  if (ASKS.test(sentence.replace(POLITE, "")) && sign !== "Example") return "Task";
  return sign ?? "Context";
}

function vagueWords(prompt: string): string[] {
  const words = [...new Set([...prompt.matchAll(VAGUE)].map(([word]) => word.toLowerCase()))].slice(0, 3);
  return words.map((word) => `What does "${word}" mean here? Say it so that it can be checked.`);
}

/** Function words make up a third of English text. */
function isEnglish(text: string): boolean {
  const words = tokenize(text.slice(0, 2_000));
  if (words.length < 6) return !/\P{ASCII}/u.test(text);
  return words.filter(({ word }) => isStopword(word)).length / words.length > 0.12;
}
