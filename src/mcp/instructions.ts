/** What every MCP client is told about the server when it connects. */
export const INSTRUCTIONS = `Waypost gives you a model to talk to, the account's own knowledge, sessions that follow the user across devices, and what all of it cost.
- Look things up with \`search\`, then open a hit with \`fetch\` by its id. Put knowledge in with \`add_documents\`.
- \`chat\` asks a model; with \`grounding\` it answers from the account's documents and cites them; with \`session_id\` the conversation is kept and synced.
- \`list_sessions\` and \`sync_session\` read and change synced conversations. Sessions, documents, a month's usage and the models are also resources (\`waypost://…\`), and the account's templates prompts.
- \`usage\` shows limits, tokens and money left; look there when a call was refused. Every error says what to do next.`;
