/**
 * What people ask an agent that has this server's tools, and the call that serves them. Written as they would say it, before
 * looking at a description; several are one word away from another tool.
 */

export interface ToolRequest {
  /** What the user says. */
  says: string;
  /** The tool to call first; null: the agent answers by itself or with what it had before. */
  tool: string | null;
  /** Other first calls that serve as well. */
  or?: readonly string[];
  /** What the arguments must hold: an expression for the JSON of each named one. */
  args?: Readonly<Record<string, RegExp>>;
  /** ISO 639-1; absent: English. */
  language?: string;
}

const of = (tool: string | null, ...requests: (string | Omit<ToolRequest, "tool">)[]): ToolRequest[] =>
  requests.map((request) => ({ tool, ...(typeof request === "string" ? { says: request } : request) }));

export const requests: readonly ToolRequest[] = [
  ...of(
    "search",
    { says: "What do my notes say about the boiler warranty?", args: { query: /boiler|warranty/i } },
    {
      says: "Find the passage in my documents where the termination clause is explained.",
      args: { query: /terminat/i },
    },
    { says: "Did I ever talk about Lisbon in an earlier conversation?", args: { query: /lisbon/i } },
    {
      says: "Look up 'rate limiter' in my knowledge base and show me the three best snippets.",
      args: { query: /rate limiter/i, limit: /^3$/ },
    },
    { says: "Which of my saved documents mention Kubernetes?", args: { query: /kubernetes/i } },
    {
      says: "Search only the file handbook/travel.md for per diem.",
      args: { query: /per diem/i, document_ids: /handbook\/travel\.md/ },
    },
    {
      says: "In session trip-2026, find what we said about ferry tickets.",
      args: { query: /ferry/i, session_id: /trip-2026/ },
    },
    {
      says: "Look for anything tagged team=infra that mentions certificate renewal.",
      args: { query: /certificate/i, filter: /infra/ },
    },
    { says: "Before you answer, check what my documents know about onboarding.", args: { query: /onboarding/i } },
  ),
  ...of(
    "fetch",
    { says: "Open guides/tides~3 so I can read that passage.", args: { id: /^"guides\/tides~3"$/ } },
    { says: "Read me the whole document policies/leave.md.", args: { id: /policies\/leave\.md/ } },
    { says: "Show the full text of message msg:01HX2.", args: { id: /msg:01HX2/ } },
    { says: "That hit looks right, give me everything in report-2025~0.", args: { id: /report-2025~0/ } },
    { says: "Continue reading handbook.md from character 20000.", args: { id: /handbook\.md/, offset: /^20000$/ } },
    { says: "Print the document with id doc_8f1c in full, with its metadata.", args: { id: /doc_8f1c/ } },
    { says: "I want to see the text around passage specs/api~12, not just the snippet.", args: { id: /specs\/api/ } },
  ),
  ...of(
    "add_documents",
    { says: "Save this note for later: the spare key is with Anna.", args: { documents: /spare key/ } },
    {
      says: "Remember this page: 'VPN setup: use port 443.' It came from https://wiki.example/vpn.",
      args: { documents: /wiki\.example\/vpn/ },
    },
    {
      says: "Add these two files to my knowledge base: a.md '# A' and b.md '# B'.",
      args: { documents: /a\.md.*b\.md/s },
    },
    { says: "Index this snippet so that I can find it again: const retry = 3;", args: { documents: /retry = 3/ } },
    {
      says: "Replace the content of policies/leave.md with 'Thirty days a year.'",
      args: { documents: /policies\/leave\.md/ },
    },
    {
      says: "Store the minutes below under the id minutes/2026-01, tagged team: infra.\nWe agreed to ship.",
      args: { documents: /minutes\/2026-01/ },
    },
    {
      says: "Put the text 'Reset with the pin hole' into my documents with the title Router.",
      args: { documents: /Router/ },
    },
  ),
  ...of(
    "delete_document",
    { says: "Delete the document drafts/old.md.", args: { id: /drafts\/old\.md/ } },
    { says: "Remove doc_77aa from my knowledge, it is wrong.", args: { id: /doc_77aa/ } },
    { says: "That uploaded file contracts/acme must be gone for good, original too.", args: { id: /contracts\/acme/ } },
    { says: "Erase my stored page https-wiki-vpn from the index.", args: { id: /https-wiki-vpn/ } },
    { says: "I no longer want notes/diet.md to be found. Get rid of it.", args: { id: /notes\/diet\.md/ } },
  ),
  ...of(
    "list_sessions",
    "Which conversations do I have saved?",
    "Show my recent chat sessions.",
    { says: "Give me the titles of my last five sessions.", args: { limit: /^5$/ } },
    "How many conversations are stored in this account?",
    "When was the session about the garden last active? I forgot its id.",
    "What was I working on most recently on my other laptop? Just the titles.",
  ),
  ...of(
    "sync_session",
    { says: "Read me the conversation with session id trip-2026.", args: { session_id: /trip-2026/ } },
    { says: "Show all messages of session s-42 in order.", args: { session_id: /s-42/ } },
    { says: "Pull the changes since cursor epoch e1, seq 120 to this device.", args: { cursor: /120/ } },
    {
      says: "Rename session s-42 to 'Kitchen' (device phone-1, base_seq 88).",
      args: { push: /session\.update/, device_id: /phone-1/ },
    },
    { says: "Delete the conversation trip-2025; this is device phone-1.", args: { push: /session\.delete/ } },
    { says: "Clear every message out of session scratch; my device is desk.", args: { push: /session\.clear/ } },
    {
      says: "Append this user message to session s-42 from device phone-1: 'Buy milk'.",
      args: { push: /message\.append/ },
    },
    { says: "Bring this laptop's copy of my conversations up to date.", or: ["list_sessions"] },
    { says: "Create an empty session named 'Taxes' from device desk.", args: { push: /session\.create/ } },
    {
      says: "Set a rule for session s-42: always answer in French. Device desk, base_seq 5.",
      args: { push: /constraints|framing/ },
    },
  ),
  ...of(
    "chat",
    {
      says: "Ask openai/gpt-5-mini for a second opinion on this paragraph: 'We ship on Fridays.'",
      args: { model: /gpt-5-mini/ },
    },
    { says: "Let another model write a haiku about rain.", args: { message: /haiku/i } },
    {
      says: "Have a model answer from my documents, with citations: how long is the notice period?",
      args: { grounding: /true|\{/ },
    },
    { says: "Continue my saved session trip-2026 and ask it what to pack.", args: { session_id: /trip-2026/ } },
    {
      says: "Get a cheap quick model to summarise 'The cat sat on the mat' in five words.",
      args: { model: /auto:quick|auto/ },
    },
    {
      says: "Ask the hardest-thinking model you have whether this proof holds: n^2 is even, so n is even.",
      args: { model: /hard/ },
    },
    {
      says: "What would Claude say to this question: is tea better than coffee? Ask it.",
      args: { model: /claude|anthropic/i },
    },
    { says: "Prompt the language model with temperature 0: list three primes.", args: { temperature: /^0$/ } },
    {
      says: "Write an answer grounded in manual.pdf only, and cite it: how do I descale the kettle?",
      args: { grounding: /manual\.pdf/ },
    },
  ),
  ...of(
    "usage",
    "How much have I spent this month?",
    "How many tokens are left in my plan?",
    { says: "What did last call call_9d2 cost, item by item?", args: { call_id: /call_9d2/ } },
    { says: "Break down March 2026 costs by model.", args: { group_by: /model/ } },
    "Am I close to the rate limit?",
    "What is my prepaid balance?",
    { says: "List my twenty newest calls with their cost.", args: { recent: /^20$/ } },
    "Will I run over budget by the end of the month at this pace?",
    { says: "Which tool was the most expensive in January 2026?", args: { group_by: /tool/ } },
    "Is there enough credit for a large job?",
  ),
  ...of(
    "whoami",
    "Which account am I signed in to?",
    "What permissions does this connection have?",
    "Who am I here, and what is my role?",
    "Which scopes were granted, and how do I get documents:write?",
    "When does my key expire?",
    "What email address is this login for?",
  ),
  ...of(
    null,
    "What is 17 times 23?",
    "Translate 'good morning' to Italian.",
    "Thanks, that was all!",
    "What's the weather in Oslo right now?",
    "Fix the typo in this sentence: 'I has a dog.'",
    "Create a new API key for my colleague.",
    "Which tools do you have?",
    "Open https://example.com and tell me its title.",
  ),
  ...of("search", {
    says: "Was steht in meinen Notizen über die Heizung?",
    language: "de",
    args: { query: /heizung/i },
  }),
  ...of("fetch", {
    says: "Ouvre le document notes/recettes.md en entier.",
    language: "fr",
    args: { id: /recettes\.md/ },
  }),
  ...of("add_documents", {
    says: "Guarda esta nota: la reunión es el martes a las diez.",
    language: "es",
    args: { documents: /martes/ },
  }),
  ...of("delete_document", {
    says: "ドキュメント drafts/old.md を完全に削除してください。",
    language: "ja",
    args: { id: /drafts\/old\.md/ },
  }),
  ...of("list_sessions", { says: "Kayıtlı sohbetlerimi listele.", language: "tr" }),
  ...of("sync_session", { says: "Покажи все сообщения сессии s-42.", language: "ru", args: { session_id: /s-42/ } }),
  ...of("chat", { says: "请让另一个模型写一首关于雨的诗。", language: "zh", args: { message: /雨/ } }),
  ...of("chat", {
    says: "Frag ein anderes Modell, was es von diesem Satz hält: Wir liefern freitags.",
    language: "de",
  }),
  ...of("usage", { says: "Quanto ho speso questo mese?", language: "it" }),
  ...of("usage", { says: "كم بقي من الرموز في خطتي هذا الشهر؟", language: "ar" }),
  ...of("whoami", { says: "Com que conta estou conectado?", language: "pt" }),
  ...of("search", {
    says: "मेरे दस्तावेज़ों में वारंटी के बारे में क्या लिखा है?",
    language: "hi",
    args: { query: /वारंटी|warranty/i },
  }),
  ...of(null, { says: "Wie viel ist 12 mal 12?", language: "de" }),
];
