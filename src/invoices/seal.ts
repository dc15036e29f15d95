/** Canonical JSON and its SHA-256: two invoices are the same exactly when their bytes are. */
import { createHash } from 'node:crypto';

/** An invoice with its bytes and their hash. */
export interface Sealed<Invoice> {
  readonly invoice: Invoice;
  /** Canonical JSON: keys in order, no spaces. */
  readonly json: string;
  /** Of the JSON's UTF-8 bytes, in hex. */
  readonly sha256: string;
}

/**
 * Canonical JSON of an invoice, and the SHA-256 of its bytes in hex.
 *
 * @throws TypeError for a number that is no integer: amounts are integers or decimal strings.
 * @example seal({ month: '2025-11', kind: 'cost' }).json // '{"kind":"cost","month":"2025-11"}'
 */
export function seal<Invoice extends object>(invoice: Invoice): Sealed<Invoice> {
  const json = JSON.stringify(invoice, canonical);
  return { invoice, json, sha256: sha256(json) };
}

/**
 * The SHA-256 of a text's UTF-8 bytes, in hex.
 *
 * @example sha256('').slice(0, 8) // 'e3b0c442'
 */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function canonical(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new TypeError(
      `Cannot seal invoice: ${key} must be an integer or a string, current value is ${value}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, entries[name]]),
  );
}
