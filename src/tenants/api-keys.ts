/** Tenants' API keys: shown once, kept as hashes. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../invoices/seal.js';

/** Whose key it is. */
export interface KeyHolder {
  readonly tenantId: string;
  /** Whether it may ask queries; before its tenant is active it only reads how the onboarding goes. */
  readonly enabled: boolean;
}

/** What knows the keys, at once or from a store. */
export interface KeyLookup {
  /** Undefined for a key that was never given out, or was revoked. */
  holderOf(key: string): KeyHolder | undefined | Promise<KeyHolder | undefined>;
}

/**
 * A key's SHA-256, and the first quarter of it, by which it is found. How long a look-up takes may tell of
 * the quarter; the whole is compared in constant time.
 */
export interface HashedKey {
  readonly index: string;
  readonly hash: string;
}

/** 192 random bits: nobody guesses one, so that a fast hash will do. */
export const newApiKey = (): string => `mb_${randomBytes(24).toString('base64url')}`;

const FORM = /^mb_[\w-]{32}$/;

/** Undefined for what cannot be a key, and need not be looked for. */
export function hashedKey(key: string): HashedKey | undefined {
  if (!FORM.test(key)) return undefined;
  const hash = sha256(key);
  return { hash, index: hash.slice(0, 16) };
}

/** In constant time. */
export function isSameHash(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

/**
 * Keys that live as long as the process; those of tenants that signed up are in stored-api-keys.ts.
 *
 * @example
 * const keys = new ApiKeys();
 * const key = keys.issue('acme-corp'); // 'mb_…'
 * keys.holderOf(key) // { tenantId: 'acme-corp', enabled: true }
 */
export class ApiKeys implements KeyLookup {
  readonly #keys = new Map<string, { hash: string; tenantId: string }>();

  /** A new key for a tenant; it cannot be read again. */
  issue(tenantId: string): string {
    const key = newApiKey();
    const { index, hash } = hashedKey(key) as HashedKey;
    this.#keys.set(index, { hash, tenantId });
    return key;
  }

  /** Whose key it is; undefined for one that was never given out. */
  holderOf(key: string): KeyHolder | undefined {
    const asked = hashedKey(key);
    const found = asked && this.#keys.get(asked.index);
    return found && isSameHash(found.hash, asked.hash)
      ? { tenantId: found.tenantId, enabled: true }
      : undefined;
  }
}
