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
  const json = JSON.stringify(inOrder('invoice', invoice));
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

function inOrder(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new TypeError(
      `Cannot seal invoice: ${key} must be an integer or a string, current value is ${value}`,
    );
  }
  if (Array.isArray(value)) return value.map((item) => inOrder(key, item));
  if (typeof value !== 'object' || value === null) return value;
  const ordered: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) ordered[name] = inOrder(name, Reflect.get(value, name));
  return ordered;
}
