import type { Labelled } from "./prompts.ts";

/**
 * Written, with their labels, after the rules had been, so that the rules could not be made for them. They look for trouble:
 * words that mislead, questions that hide what they are, and moods and languages the others lack.
 */
export const labelledLater: Labelled[] = [
  { tier: "quick", text: "ok cool" },
  { tier: "quick", text: "What year did Python the comedy group... I mean Monty Python, start?" },
  { tier: "quick", text: "is a tomato a fruit or a vegetable" },
  { tier: "quick", text: "how many grams in an ounce" },
  { tier: "quick", text: "Remind me: which planet has the most moons?" },
  { tier: "quick", text: "Rephrase in one word: very very tired" },
  { tier: "quick", text: "capitalise this properly: the old man and the sea" },
  { tier: "quick", text: "Pick a name for a grey cat." },
  { tier: "quick", text: "Date of the next leap day?" },
  { tier: "quick", text: "Is Monday 3 March 2031 before or after 28 February 2031?" },
  { tier: "quick", text: "Yes or no: can dogs eat grapes?" },
  { tier: "quick", text: "23 * 17" },
  { tier: "quick", text: "Jak się mówi 'dziękuję' po włosku?" },
  { tier: "quick", text: "Kto napisał Lalkę?" },
  { tier: "quick", text: "Wann ist Nikolaus?" },
  { tier: "quick", text: "Sag das höflicher: Ruf mich an!" },
  { tier: "quick", text: "Quelle heure est-il à Montréal quand il est midi à Paris ?" },
  { tier: "quick", text: "Pon en plural: el lápiz" },
  { tier: "quick", text: "Сколько дней в феврале високосного года?" },
  { tier: "quick", text: "水の化学式は？" },
  { tier: "quick", text: "这个字怎么读：龘" },
  { tier: "quick", text: "Hvad er hovedstaden i Norge?" },
  {
    tier: "general",
    text: "I keep waking up at 4 a.m. and can't fall asleep again. I drink two coffees a day and work shifts. Any ideas?",
  },
  {
    tier: "general",
    text: "My boss wants me to take over the Java team although I have never led anybody. Pros and cons? I'm torn.",
  },
  {
    tier: "general",
    text: "Turn these notes into a friendly newsletter paragraph: new oven arrived, bread from Tuesday, closed on the 14th, thanks to everyone who helped carry.",
  },
  {
    tier: "general",
    text: "Which is the better first instrument for a seven-year-old, piano or violin, and what does it depend on?",
  },
  { tier: "general", text: "Tell me about the history of the Hanseatic League and why it declined." },
  {
    tier: "general",
    text: "I'm visiting my vegan sister-in-law who hates mushrooms. Menu for four, starter to dessert, nothing that takes over an hour.",
  },
  {
    tier: "general",
    text: "What are typical signs that a used car has been in an accident, and what do I ask the seller?",
  },
  {
    tier: "general",
    text: "Brainstorm ten names for a podcast on forgotten inventions, each with a line on why it fits.",
  },
  {
    tier: "general",
    text: "Make this complaint firmer but still civil: Hello, the washing machine you repaired on the 3rd leaks again. It leaked on the 5th and on the 9th too. I called three times. Nobody came back to me. I would be glad to hear from you.",
  },
  {
    tier: "general",
    text: "Could you go over what the GDPR means for a choir with sixty members that keeps a phone list?",
  },
  { tier: "general", text: "Opowiedz mi o wpływie druku na reformację." },
  {
    tier: "general",
    text: "Mam rozmowę kwalifikacyjną na stanowisko magazyniera, o co mogą zapytać i co warto odpowiedzieć?",
  },
  {
    tier: "general",
    text: "Mein Sohn will die Schule abbrechen und eine Lehre als Tischler machen. Wie spreche ich mit ihm darüber, ohne Streit?",
  },
  { tier: "general", text: "Was muss ich beachten, wenn ich meine Wohnung für ein halbes Jahr untervermiete?" },
  {
    tier: "general",
    text: "Propose un programme de trois jours à Lyon pour un couple qui aime marcher et bien manger.",
  },
  {
    tier: "general",
    text: "Necesito ideas para la fiesta de jubilación de mi padre, que fue cartero y adora el ajedrez.",
  },
  { tier: "general", text: "Посоветуй, как рассказать детям о разводе, им шесть и девять лет." },
  {
    tier: "general",
    text: "引っ越しの挨拶に持っていく品物は何がいいですか。予算は千円くらいで、相手は年配のご夫婦です。",
  },
  { tier: "general", text: "孩子三岁了还不爱说话，我们应该怎么在家里帮助他？需要去看医生吗？" },
  { tier: "general", text: "who is responsible for the keys of the hall", grounded: true },
  { tier: "general", text: "Hat der Verein eine Haftpflichtversicherung?", grounded: true },
  { tier: "code", text: "my for loop runs one time too many, i start at 0 and go while i <= n" },
  { tier: "code", text: "Give me a one-liner that prints the ten largest files under the current directory" },
  { tier: "code", text: "What is the difference between == and equals() for strings?" },
  { tier: "code", text: "Pandas: group by week and keep the row with the max value in each group" },
  { tier: "code", text: "vim keeps opening instead of nano when I commit" },
  { tier: "code", text: "terraform plan wants to destroy and recreate my bucket although I only changed a tag" },
  { tier: "code", text: "a = [1,2,3]\nb = a\nb.append(4)\nprint(a)  # why 4 in here?" },
  {
    tier: "code",
    text: 'Here\'s my component, it flashes white on load. <template><div v-if="ready"><slot/></div></template>',
  },
  {
    tier: "code",
    text: "Please add input validation to this endpoint: app.post('/users', (req, res) => { db.insert(req.body); res.sendStatus(201) })",
  },
  { tier: "code", text: "Implement quicksort, then tell me its worst case." },
  { tier: "code", text: "Excel formula: sum column C where column A is this month and B is not empty" },
  { tier: "code", text: "segmentation fault (core dumped) after I free the list twice?" },
  { tier: "code", text: "Jak w Excelu policzyć, ile razy wartość z kolumny A występuje w kolumnie B?" },
  { tier: "code", text: "Mein Docker-Container findet den Host db nicht, im Compose-File steht er aber." },
  { tier: "code", text: "Comment fusionner deux branches git sans perdre l'historique ?" },
  { tier: "code", text: "Mi bucle while en Python no termina nunca, ¿qué reviso?" },
  { tier: "code", text: "Как в PostgreSQL узнать размер таблицы вместе с индексами?" },
  { tier: "code", text: "Reactのstateが更新されないのはなぜですか。setCount(count+1)を二回呼んでいます。" },
  {
    tier: "hard",
    text: "Three people share a taxi; A gets off after 6 km, B after 10, C after 15. The fare is 30. What split would each of three different fairness principles give, and which is most defensible?",
  },
  { tier: "hard", text: "Is every finite integral domain a field? Justify fully." },
  {
    tier: "hard",
    text: "You have 12 coins, one is fake and either lighter or heavier. Find it in three weighings and say which.",
  },
  {
    tier: "hard",
    text: "Here is my argument that 0.999... < 1. Find the exact step where it breaks, and repair it: every partial sum is below 1, a limit of numbers below 1 is below 1, hence the claim.",
  },
  { tier: "hard", text: "Compute the limit of (1 - cos x)/x^2 as x goes to 0 without l'Hôpital." },
  {
    tier: "hard",
    text: "A startup burns 90k a month, has 1.1M, grows revenue from 20k by 8% monthly with 70% gross margin. When does the money run out, what growth would avoid it, and how sensitive is that to churn of 2 points?",
  },
  {
    tier: "hard",
    text: "Does P = NP follow if one finds a polynomial algorithm for graph isomorphism? Argue carefully.",
  },
  {
    tier: "hard",
    text: "Our two warehouses and five shops have the following demands: 30, 45, 20, 60, 25; supplies 100 and 80. Given transport costs of 4,6,9,3,7 and 5,3,2,8,4 per unit, what is the cheapest plan, and is it unique?",
  },
  {
    tier: "hard",
    text: "Wykaż, że dla dowolnych liczb rzeczywistych a, b zachodzi a^2 + b^2 >= 2ab, i kiedy jest równość.",
  },
  { tier: "hard", text: "Bestimme alle Extremstellen von f(x) = x^3 - 3x^2 + 4 und skizziere die Argumentation." },
  { tier: "hard", text: "Calcule la probabilité d'obtenir au moins deux as en tirant cinq cartes d'un jeu de 52." },
  {
    tier: "hard",
    text: "Resuelve el sistema 2x + y - z = 3, x - y + 2z = 1, 3x + 2y + z = 10 y discute si la solución es única.",
  },
  { tier: "hard", text: "Найди все функции f: R → R, для которых f(x+y) = f(x) + f(y) + xy при всех x, y." },
  { tier: "hard", text: "甲乙两人轮流掷骰子，先掷出六点者获胜，甲先掷。求甲获胜的概率。" },
];
