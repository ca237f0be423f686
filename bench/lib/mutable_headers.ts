/**
 * Loaded into Portkey's gateway before it starts (`node --import`). It changes the headers of the answers it streams, which
 * Node's `fetch` makes immutable, so that every streamed request ends with status 500. Answers with headers of their own let
 * it stream; nothing else of it is touched.
 */
const original = globalThis.fetch;

globalThis.fetch = async (...asked) => {
  const response = await original(...asked);
  const { status } = response;
  // A response of one's own cannot have the others.
  return status >= 200 && status <= 599 ? new Response(response.body, response) : response;
};
