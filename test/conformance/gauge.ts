/** Counts the streams of a Worker's answers that are open: begun, and neither ended nor cancelled. */
export class Gauge {
  open = 0;

  watch(response: Response): Response {
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    this.open++;
    let isOpen = true;
    const ended = () => {
      if (isOpen) this.open--;
      isOpen = false;
    };
    const reader = response.body.getReader();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        ended();
        controller.close();
      },
      cancel: (reason) => {
        ended();
        return reader.cancel(reason);
      },
    });
    return new Response(body, response);
  }
}
