/** Form-encoded parameters with nested keys: how v1 of the API is spoken to. */
import { invalid } from './api-error.js';

/** `items[0][price]=p` becomes `{ items: { 0: { price: 'p' } } }`; lists are told apart by their schema. */
export interface Form {
  [key: string]: string | Form;
}

const KEY = /^[^[\]]+(\[[^[\]]*\])*$/;
const MOST_FIELDS = 2_000;
const MOST_LEVELS = 8;

/**
 * @param encoded a body, or the part of an address after its question mark
 * @throws ApiError 400 for what cannot be read, or says the same thing twice.
 * @example decodeForm('metadata[tenant]=acme') // { metadata: { tenant: 'acme' } }
 */
export function decodeForm(encoded: string): Form {
  const form: Form = Object.create(null) as Form;
  const pairs = encoded.split('&').filter((pair) => pair !== '');
  if (pairs.length > MOST_FIELDS) throw invalid(`Too many parameters: at most ${MOST_FIELDS} are read.`);
  for (const pair of pairs) {
    const split = pair.indexOf('=');
    const [key, value] = split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)];
    place(form, percentDecoded(key.replaceAll('+', ' ')), percentDecoded(value.replaceAll('+', ' ')));
  }
  return form;
}

function place(form: Form, key: string, value: string): void {
  const names = key.split('[').map((name, index) => (index === 0 ? name : name.slice(0, -1)));
  if (!KEY.test(key) || names.length > MOST_LEVELS || names.includes('__proto__')) {
    throw invalid(`Invalid parameter name: ${key.slice(0, 80)}`);
  }
  let level = form;
  for (const [depth, given] of names.entries()) {
    const name = given === '' ? String(Object.keys(level).length) : given;
    const there = level[name];
    if (depth === names.length - 1) {
      if (there !== undefined) throw invalid(`Parameter given twice: ${key}`, key);
      level[name] = value;
    } else {
      if (typeof there === 'string') throw invalid(`Parameter given twice: ${key}`, key);
      const next: Form = there ?? (Object.create(null) as Form);
      level[name] = next;
      level = next;
    }
  }
}

/** @throws ApiError 400 */
export function percentDecoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw invalid('Invalid percent-encoding in the request.');
  }
}
