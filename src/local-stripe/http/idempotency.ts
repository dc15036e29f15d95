/** Keys under which a call is made once: its first answer is given again for a day. */
import { createHash } from 'node:crypto';
import type { Account } from '../state/account.js';
import { ApiError, invalid } from './api-error.js';

const KEPT_SECONDS = 24 * 3_600;
const LONGEST_KEY = 255;

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly replayed?: boolean;
  readonly shouldRetry?: boolean | undefined;
}

/** What must be the same in each call with a key: the parameters count, not the order in which they were sent. */
export function fingerprintOf(method: string, path: string, params: unknown): string {
  const parts = [method, path, JSON.stringify(params, keysInOrder)];
  return createHash('sha256').update(parts.join('\n')).digest('base64url');
}

function keysInOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * The answer to a key that was used before.
 *
 * @throws ApiError 400 `idempotency_error` when it was used with other parameters.
 */
export function earlierAnswer(account: Account, key: string, fingerprint: string): Answer | undefined {
  if (key.length > LONGEST_KEY) {
    throw invalid(`Idempotency keys can be at most ${LONGEST_KEY} characters long.`);
  }
  const row = account.tables.idempotency.get(key);
  if (!row || row.at + KEPT_SECONDS <= account.now()) return undefined;
  if (row.fingerprint === fingerprint) return { status: row.status, body: row.body, replayed: true };
  throw new ApiError(
    400,
    'Keys for idempotent requests can only be used with the same parameters they were first used with.',
    { type: 'idempotency_error' },
  );
}

/** Keeps the first answer to a key, and forgets what is older than a day. */
export function keepAnswer(account: Account, key: string, fingerprint: string, answer: Answer): void {
  const { idempotency } = account.tables;
  const at = account.now();
  for (const row of idempotency.rows()) {
    if (row.at + KEPT_SECONDS > at) break;
    idempotency.delete(row.id);
  }
  idempotency.delete(key);
  idempotency.put({ id: key, fingerprint, at, status: answer.status, body: answer.body });
}
