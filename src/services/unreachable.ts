/** One sentence for a configured service that does not answer, with the setting to look at. */
import type { Endpoint } from '../config.js';

/** What went wrong, by the code that Node, Redis and ClickHouse give it. */
const CAUSES: readonly (readonly [pattern: RegExp, sentence: string])[] = [
  [/ENOTFOUND|EAI_AGAIN/, 'there is no such host'],
  [/ECONNREFUSED/, 'the connection was refused'],
  [/ETIMEDOUT|timed? ?out|timeout/i, 'there was no answer in time'],
  [/NOAUTH|WRONGPASS|AUTHENTICATION_FAILED|REQUIRED_PASSWORD/, 'the user or password is wrong'],
  [/ECONNRESET|socket hang up|Parse Error|Connection is closed/i, 'the server closed the connection'],
  [/CERT|SSL|TLS/, 'its certificate was not accepted'],
];

/**
 * @example unreachable({ setting: 'REDIS_URL', url }, error)
 *   // 'REDIS_URL: the connection was refused at 127.0.0.1:6379'
 */
export function unreachable({ setting, url }: Endpoint, error: unknown): string {
  const text = describe(error);
  const known = CAUSES.find(([pattern]) => pattern.test(text))?.[1];
  return `${setting}: ${known ?? `it answered ${JSON.stringify(text.split('\n')[0]?.slice(0, 120))}`} at ${url.host}`;
}

/** Message, code and type; of an AggregateError (two addresses tried) those of its parts, of Stripe's error its reason. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', type = '', detail } = error as { code?: string; type?: string; detail?: unknown };
  const parts = error instanceof AggregateError ? error.errors.map(describe) : [];
  if (detail) parts.push(describe(detail));
  return [error.message, code, type, ...parts].filter((part) => part !== '').join(' ');
}
