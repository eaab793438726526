/** Problems that the service answers (RFC 9457), and those of reaching it. */

/** What went wrong with a request. `detail` is the service's own sentence, with the remedy. */
export class Problem extends Error {
  /** @param {{status: number, code: string, detail: string, request_id?: string|null}} body */
  constructor(body, retryAfterS = null) {
    super(body.detail);
    this.name = "Problem";
    this.status = body.status;
    this.code = body.code;
    this.detail = body.detail;
    this.requestId = body.request_id ?? null;
    this.errors = body.errors ?? [];
    this.rejected = body.rejected ?? [];
    /** The right that the key lacks; null where that is not the problem. */
    this.missingRight = body.missing_right ?? null;
    this.body = body;
    /** Seconds after which to try again; null where the service did not say. */
    this.retryAfterS = retryAfterS;
  }

  /** Whether the service is busy, and the same request succeeds later. */
  get isBusy() {
    return this.status === 429 || this.status === 503;
  }

  /** Whether no answer came at all. */
  get isOffline() {
    return this.status === 0;
  }
}

/** The problem of an answer that is none of the expected ones. */
export async function problemOf(response) {
  const retryAfter = Number(response.headers.get("retry-after"));
  const retryAfterS = Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null;
  const requestId = response.headers.get("x-request-id");
  let body = null;
  try {
    body = await response.json();
  } catch {
    // A proxy's page, most likely.
  }
  if (typeof body?.detail !== "string") {
    const detail = `${response.status} ${response.statusText}`.trim();
    body = { status: response.status, code: "no_answer_of_vultus", detail };
  }
  return new Problem({ request_id: requestId, ...body, status: response.status }, retryAfterS);
}
