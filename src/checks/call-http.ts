/** One request of a check over HTTP, to a service that may be away or answer anything. */

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Longest wait for one answer, in seconds. */
const ANSWER_SECONDS = 30;

interface Sent {
  readonly key?: string;
  readonly body?: object | undefined;
  readonly seconds?: number | undefined;
}

/**
 * Sends a request. A body that is no JSON object comes back as an empty one.
 *
 * @throws Error with the address, where no answer comes.
 */
export async function callHttp(
  url: string,
  method: string,
  path: string,
  { key, body, seconds = ANSWER_SECONDS }: Sent = {},
): Promise<Reply> {
  // Below the address, which may have a path of its own.
  const address = new URL(path.slice(1), url.endsWith('/') ? url : `${url}/`);
  try {
    const response = await fetch(address, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(seconds * 1_000),
    });
    const { status, headers } = response;
    return { status, headers, body: objectIn(await response.text()) };
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string; message: string } };
    const why = name === 'TimeoutError' ? `waited ${seconds} s` : (cause?.code ?? cause?.message ?? message);
    throw new Error(`no answer from ${address.origin}${address.pathname} (${why})`, { cause: error });
  }
}

function objectIn(text: string): Reply['body'] {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
