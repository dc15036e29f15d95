/** Tenants' API keys: shown once, kept as hashes. */
import { randomBytes } from 'node:crypto';
import { sha256 } from '../invoices/seal.js';

/**
 * @example
 * const keys = new ApiKeys();
 * const key = keys.issue('acme-corp'); // 'mb_…'
 * keys.tenantOf(key) // 'acme-corp'
 */
export class ApiKeys {
  readonly #tenants = new Map<string, string>();

  /** A new key for a tenant; it cannot be read again. */
  issue(tenantId: string): string {
    const key = `mb_${randomBytes(24).toString('base64url')}`;
    this.#tenants.set(sha256(key), tenantId);
    return key;
  }

  /** Looked up by hash, so that the time it takes tells nothing about the key. */
  tenantOf(key: string): string | undefined {
    return this.#tenants.get(sha256(key));
  }
}
