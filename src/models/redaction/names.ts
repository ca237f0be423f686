import { pattern } from "../../pattern.ts";
import { isDoubleName, isGivenName } from "./given_names.ts";
import type { Found } from "./types.ts";

/**
 * Names of people, by what stands around them: titles, "my name is", greetings, closings, and given names followed by a
 * surname. These are guesses: a name with none of that around it is not found.
 */

const UPPER = "\\p{Lu}[\\p{L}'’]{0,30}(?:-\\p{Lu}[\\p{L}'’]{0,30}){0,2}";
const PARTICLE =
  "(?:van der|van den|van de|von der|von|van|de la|de los|de|del|della|di|da|dos|du|la|le|bin|ibn|al|el|ter|zu|af|av)";
const INITIAL = "\\p{Lu}\\.";
/** One to four parts: "Anna", "J. R. Smith", "Ludwig van der Berg". */
const NAME = `(?:${UPPER}|${INITIAL})(?:[ \\u00a0](?:${PARTICLE}[ \\u00a0])?(?:${UPPER}|${INITIAL})){0,3}`;
const WORD_START = "(?<![\\p{L}\\p{N}_@/.-])";

const TITLES =
  "Mr|Mrs|Ms|Mx|Miss|Mister|Dr|Prof|Professor|Herr|Herrn|Frau|Monsieur|Madame|Mademoiselle|Mme|Mlle|Señor|Señora|Señorita|Sr|Sra|Srta|Don|Doña|Signor|Signora|" +
  "Sig|Dott|[Dd]ottor|[Dd]ottoressa|M\\.|Senhor|Senhora|Meneer|Mevrouw|Pan|Pani|Fru|Господин|Госпожа";
const TITLED = new RegExp(`${WORD_START}(?:${TITLES})\\.?[ \\u00a0](?:(?:Dr|Prof)\\.?[ \\u00a0]){0,2}(${NAME})`, "gu");

const SAYS =
  "[Mm]y (?:full )?name is|[Mm]y name'?s|[Nn]ame:|[Cc]all me|(?:is|was) (?:called|named)|[Ii]ch hei(?:ß|ss)e|[Mm]ein Name ist|[Ii]ch bin(?: die| der)?|[Jj]e m['’]appelle|[Mm]on nom est|[Jj]e suis|" +
  "[Mm]e llamo|[Mm]i nombre es|[Ss]oy|[Mm]i chiamo|[Ii]l mio nome è|[Ss]ono|[Mm]e chamo|[Oo] meu nome é|[Mm]eu nome é|[Ii]k heet|[Mm]ijn naam is|[Jj]ag heter|[Mm]itt namn är|" +
  "[Nn]azywam się|[Mm]am na imię|[Мм]еня зовут|[Mm]oje jméno je|[Jj]menuji se|[Bb]enim adım|[Nn]ame ist|[Nn]ombre:|[Nn]om ?:|[Tt]his is|I am|I['’]m|[Ss]igned by|[Ss]igned,?|" +
  "[Aa]uthor:|[Cc]ontact:|[Aa]nsprechpartner(?:in)?:|[Pp]atient(?:in)?:|[Kk]unde:|[Cc]ustomer:|[Ee]mployee:|[Rr]ecipient:|[Ff]rom:|[Tt]o:|[Cc]c:";
const SAID = new RegExp(`${WORD_START}(${SAYS})[ \\u00a0]{1,2}(${NAME})`, "gu");
/** Openings that say a name for certain; after the others it must be a known given name. */
const CERTAIN = pattern(
  "name|Name|nom |nombre es|nome|naam|namn|jméno|adım|[Cc]all me|hei(?:ß|ss)e|appelle|llamo|chiamo|chamo|heet|heter|Nazywam|nazywam|imię|зовут|Jmenuji|jmenuji|[Ss]igned by|atient|mployee|ustomer|Kunde|ecipient|called|named",
  "u",
);

const GREETINGS =
  "Dear|Hi|Hello|Hey|Good (?:morning|afternoon|evening),?|Hallo|Liebe[rs]?|Guten (?:Tag|Morgen),?|Moin|Sehr geehrte[rs]?|Bonjour|Salut|Cher|Chère|Hola|Estimad[oa]|Querid[oa]|" +
  "Ciao|Car[oa]|Gentile|Salve|Olá|Oi|Prezad[oa]|Car[oa]s?|Beste|Hej|Kära|Cześć|Drog[ia]|Здравствуйте,?|Привет,?|Уважаем(?:ый|ая)|Thanks,?|Thank you,?|Danke,?|Merci,?|Gracias,?|Grazie,?";
const GREETED = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${GREETINGS})[ \\u00a0](${NAME})(?=[ \\u00a0]{0,2}(?:[,!;:.\\n—–-]|$))`,
  "gmu",
);

const CLOSINGS =
  "(?:[Bb]est|[Kk]ind|[Ww]arm(?:est)?) (?:regards|wishes)|[Rr]egards|[Bb]est|[Ss]incerely|[Yy]ours(?: sincerely| faithfully| truly)?|[Cc]heers|[Tt]hanks|[Mm]any thanks|[Tt]hank you|" +
  "[Mm]it freundlichen Grü(?:ß|ss)en|[Ff]reundliche Grü(?:ß|ss)e|[Vv]iele Grü(?:ß|ss)e|[Ll]iebe Grü(?:ß|ss)e|[Gg]rü(?:ß|ss)e|LG|VG|MfG|[Cc]ordialement|[Bb]ien à vous|[Aa]mitiés|" +
  "[Ss]aludos|[Uu]n saludo|[Aa]tentamente|[Cc]ordiali saluti|[Dd]istinti saluti|[Ss]aluti|[Aa]tenciosamente|[Aa]braços|[Mm]et vriendelijke groet|[Gg]roeten|[Mm]vh|[Pp]ozdrawiam|С уважением";
const CLOSED = new RegExp(`^[ \\t]{0,4}(?:${CLOSINGS})[,.!]{0,2}[ \\t]{0,4}\\n\\s{0,8}(${NAME})[ \\t]{0,4}$`, "gmu");

/** Capitalised words that follow greetings and titles without being anybody. */
const NOBODY = new Set(
  (
    "All Team Everyone Everybody Folks Friends There Sir Madam Support Customer Customers Colleague Colleagues Hiring Manager Community Sales World Again Guys Both Reader Users User " +
    "Damen Herren Zusammen Kollegen Kolleginnen Kunde Kundin Kunden Leute Leser Team Alle Tous Toutes Monsieur Madame Equipe Équipe Señor Señora Señores Todos Todas Amigos Equipo Tutti " +
    "Clienti Cliente Equipa Allemaal Collega Alla Wszyscy Państwo Все Коллеги Друзья Google Microsoft OpenAI ChatGPT Claude Siri Alexa Internet God Lord Santa Diary President " +
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December I The A An It This That You We " +
    "Best Yours Please Regards Thanks Thank From To Not Just Sorry Glad Happy Sure Here New Very So In On At For With German American English French Spanish Student Developer Engineer " +
    "Entwickler Student Studentin Lehrer Lehrerin Ingenieur Deutscher Deutsche Franzose"
  ).split(" "),
);

export function findNames(text: string): Found[] {
  const found: Found[] = [];
  const take = (match: RegExpExecArray, name: string): void => {
    const kept = trimmed(name);
    if (!kept) return;
    const start = match.index + match[0].lastIndexOf(name);
    found.push({ label: "NAME", start, end: start + kept.length });
  };
  for (const match of text.matchAll(TITLED)) take(match, match[1] as string);
  for (const match of text.matchAll(SAID)) {
    const name = match[2] as string;
    if (CERTAIN().test(match[1] as string) || startsKnown(name)) take(match, name);
  }
  for (const match of text.matchAll(GREETED)) if (!isTitle(match[1] as string)) take(match, match[1] as string);
  for (const match of text.matchAll(CLOSED)) take(match, match[1] as string);
  return [...found, ...byGivenName(text)].sort((a, b) => a.start - b.start);
}

const isTitle = (name: string): boolean =>
  new RegExp(`^(?:${TITLES})$`, "u").test(name.split(/[ \u00a0.]/)[0] as string);

function startsKnown(name: string): boolean {
  const [first = "", second] = name.split(/[ \u00a0]/);
  return knownPart(first) || (isDoubleName(first) && second !== undefined && !NOBODY.has(second));
}

const knownPart = (word: string): boolean =>
  word.split("-").every((part) => isGivenName(part) || isDoubleName(part)) && word.split("-").some(isGivenName);

/** The name without what cannot belong to one at its end; empty when nothing is left. */
function trimmed(name: string): string {
  const parts = name.split(/([ \u00a0])/);
  const nobody = parts.findIndex((part) => NOBODY.has(part));
  const kept = (nobody < 0 ? parts : parts.slice(0, Math.max(0, nobody - 1))).join("").trim();
  return kept.replace(/['\u2019]s$/, "").replace(/['\u2019-]+$/, "").length > 1 ? kept.replace(/['\u2019]s$/, "") : "";
}

const CANDIDATE = new RegExp(
  `${WORD_START}${UPPER}(?:[ \\u00a0](?:${PARTICLE}[ \\u00a0])?(?:${UPPER}|${INITIAL})){0,3}`,
  "gu",
);

/** A known given name, alone or with what is capitalised after it; one that is also a word needs a surname after it. */
function byGivenName(text: string): Found[] {
  const found: Found[] = [];
  for (const match of text.matchAll(CANDIDATE)) {
    const words = [...match[0].matchAll(/[^ \u00a0]+/g)];
    const first = words.findIndex(([word], i) => {
      const plain = word.replace(/['\u2019]s?$/, "");
      return (
        knownPart(plain) ||
        (isDoubleName(plain) && words.length === i + 2 && i === 0 && likelySurname(words[1]?.[0] as string))
      );
    });
    const from = words[first];
    if (!from || PLACE_BEFORE.has(words[first - 1]?.[0] ?? "")) continue;
    const name = trimmed(match[0].slice(from.index));
    if (name)
      found.push({ label: "NAME", start: match.index + from.index, end: match.index + from.index + name.length });
  }
  return found;
}

/** What makes a place, a ship or a saint of the given name after it. */
const PLACE_BEFORE = new Set(
  "Saint St St. Ste San Santa Santo São Sankt Sint Queen King Pope Port Fort Lake Mount Cape Hurricane Madame".split(
    " ",
  ),
);
const COMMON_AFTER = new Set(
  "Street Road Avenue Lane Park City Beach Hotel University College School Hospital Airport Station Bridge Island River Lake Valley Hills County Hill Line Wood Field Springs Tower House Center Centre Day Days Week Month Bank Club United".split(
    " ",
  ),
);
const likelySurname = (word: string): boolean => !NOBODY.has(word) && !COMMON_AFTER.has(word) && SURNAME().test(word);
const SURNAME = pattern("^\\p{Lu}[\\p{Ll}'’]+", "u");
