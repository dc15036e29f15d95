/** One request to one response: who asks, which route, which parameters, done once, answered as Stripe does. */
import Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../state/account.js';
import { ApiError, invalid } from './api-error.js';
import { authenticate } from './authenticate.js';
import { decodeForm, type Form, percentDecoded } from './decode-form.js';
import { expand } from './expand.js';
import { type Answer, earlierAnswer, fingerprintOf, keepAnswer } from './idempotency.js';
import { id, list } from './parameters.js';
import { readParameters } from './read-parameters.js';
import type { Route } from './route.js';

const MOST_BYTES = 1_000_000;
const expansionsOf = z.strictObject({ expand: list(id, 20).default([]) });

export type Handler = (request: Request) => Promise<Response>;

/**
 * @param before called with each request that is understood, before it is carried out
 * @param after called when it was carried out
 */
export function requestHandler(
  account: Account,
  routes: readonly Route[],
  { before, after }: { before(): void; after(): void },
): Handler {
  const find = finderOf(routes);
  /** Keys of calls that have not been answered yet. */
  const inFlight = new Set<string>();

  return async (request) => {
    const requestId = account.newId('req');
    const { pathname, search } = new URL(request.url);
    const version = pathname.startsWith('/v2/') ? 2 : 1;
    const posts = request.method === 'POST';
    const writes = posts || (request.method === 'DELETE' && version === 2);
    const key = (writes && request.headers.get('idempotency-key')) || null;
    const answer = await claim(inFlight, key, async () => {
      authenticate(request.headers);
      const body = await bodyOf(request, version);
      const sent = posts ? body : search.slice(1);
      const { route, id: pathId } = find(request.method, pathname);
      const decoded = version === 2 ? jsonOf(sent) : decodeForm(sent);
      const { expand: expansions, ...form } = decoded as Form;
      if (!posts && body) {
        throw invalid(`Parameters of a ${request.method} go into its address, not into a body.`);
      }
      if (posts && search) throw invalid('Parameters of a POST go into its body.');
      const params = readParameters(route.params, version === 2 ? decoded : form);
      const { expand: paths } = readParameters(expansionsOf, version === 1 ? { expand: expansions } : {});
      before();
      const fingerprint = fingerprintOf(request.method, pathname, decoded);
      const earlier = key && earlierAnswer(account, key, fingerprint);
      if (earlier) return earlier;
      const cause = { id: requestId, idempotency_key: key };
      try {
        return account.work(request.method === 'GET' ? null : cause, () => {
          const result = route.run(account, params as never, pathId);
          const made =
            result instanceof ApiError
              ? refusal(result, requestId)
              : { status: 200, body: JSON.stringify(expand(account, result, paths)) };
          if (key) keepAnswer(account, key, fingerprint, made);
          return made;
        });
      } catch (error) {
        const made = refusal(error, requestId);
        if (key && made.status !== 429) account.work(null, () => keepAnswer(account, key, fingerprint, made));
        return made;
      } finally {
        after();
      }
    }).catch((error: unknown) => refusal(error, requestId));
    return responseOf(answer, { requestId, key });
  };
}

/** While a call with a key is under way, another one with it is turned away. */
async function claim(
  inFlight: Set<string>,
  key: string | null,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (!key) return work();
  if (inFlight.has(key)) {
    throw new ApiError(
      409,
      'There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through).',
      { type: 'idempotency_error', code: 'idempotency_key_in_use' },
    );
  }
  inFlight.add(key);
  try {
    return await work();
  } finally {
    inFlight.delete(key);
  }
}

/** Reads a body, and stops at the limit without keeping the rest. */
async function bodyOf(request: Request, version: 1 | 2): Promise<string> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  const expected = version === 2 ? 'application/json' : 'application/x-www-form-urlencoded';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.byteLength;
    if (size > MOST_BYTES) throw new ApiError(413, `The body must be at most ${MOST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  if (size > 0 && type !== expected) throw invalid(`Send the body as ${expected}.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw invalid('The body is not UTF-8.');
  }
}

/** A client that hangs up is no fault of this side: nobody is left to answer, and nothing to be told of. */
async function* chunksOf(request: Request): AsyncIterable<Uint8Array> {
  try {
    yield* (request.body ?? []) as AsyncIterable<Uint8Array>;
  } catch {
    throw invalid('The request broke off before its end.');
  }
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text || '{}');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Answered below, like JSON that is no object.
  }
  throw invalid('The body must be a JSON object.');
}

type Finder = (method: string, path: string) => { route: Route; id: string };

function finderOf(routes: readonly Route[]): Finder {
  const patterns = routes.map((route) => ({
    route,
    pattern: new RegExp(`^${route.method} ${route.path.replace(':id', '([^/]+)')}$`),
  }));
  return (method, path) => {
    for (const { route, pattern } of patterns) {
      const found = pattern.exec(`${method} ${path}`);
      if (found) return { route, id: percentDecoded(found[1] ?? '') };
    }
    throw new ApiError(404, `Unrecognized request URL (${method}: ${path.slice(0, 200)}).`);
  };
}

function refusal(error: unknown, requestId: string): Answer {
  if (!(error instanceof ApiError)) console.error(error);
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'The local Stripe failed; nothing was changed.', { type: 'api_error' });
  const body = JSON.stringify(known.envelope(requestId));
  return { status: known.status, body, shouldRetry: known.facts.shouldRetry };
}

/** Answers what cannot be understood as a request at all, e.g. one with an invalid Host. */
export function refuseRequest(): Response {
  return refuse(invalid('Invalid request: its address cannot be read.'));
}

/** Answers what is not looked into. */
export function refuse(error: ApiError): Response {
  const requestId = 'req_refused';
  return responseOf(refusal(error, requestId), { requestId, key: null });
}

function responseOf(answer: Answer, { requestId, key }: { requestId: string; key: string | null }): Response {
  const headers = new Headers({
    'content-type': 'application/json',
    'request-id': requestId,
    'stripe-version': Stripe.API_VERSION,
  });
  if (key) headers.set('idempotency-key', encodeURIComponent(key));
  if (answer.replayed) headers.set('idempotent-replayed', 'true');
  if (answer.shouldRetry !== undefined) headers.set('stripe-should-retry', String(answer.shouldRetry));
  return new Response(answer.body, { status: answer.status, headers });
}
