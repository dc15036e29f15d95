/** References that are answered as the objects they point to, and fields that are only there on request. */
import { wholeOf } from '../money/decimal.js';
import type { Account } from '../state/account.js';
import { nulls } from '../state/stored.js';
import type { Invoice } from '../state/tables.js';
import { type ApiError, invalid } from './api-error.js';

const MOST_LEVELS = 4;
/** Lines that an invoice carries; the rest are listed with `invoices.listLineItems`. */
const LINES_SHOWN = 10;

type Fields = Record<string, unknown>;

/**
 * An object with some paths expanded, e.g. `data.customer`, `latest_invoice.payments`.
 *
 * @throws ApiError 400 for a path that leads nowhere.
 */
export function expand(account: Account, object: object, paths: readonly string[]): object {
  return paths.reduce((expanded, path) => {
    const names = path.split('.');
    if (names.length - (names[0] === 'data' ? 1 : 0) > MOST_LEVELS) {
      const message = `You cannot expand more than ${MOST_LEVELS} levels of a property. Property: ${path}`;
      throw invalid(message, 'expand');
    }
    return walk(account, expanded, names, path);
  }, shown(object));
}

/** An object as it is answered: an invoice with its first ten lines. */
export function shown(object: object): object {
  if (isList(object)) return { ...object, data: object.data.map((row) => shown(row as object)) };
  const { lines } = object as Partial<Invoice>;
  // An invoice that was deleted has none.
  if ((object as Fields).object !== 'invoice' || !lines || lines.data.length <= LINES_SHOWN) return object;
  return { ...object, lines: { ...lines, data: lines.data.slice(0, LINES_SHOWN), has_more: true } };
}

function walk(account: Account, object: object, names: readonly string[], path: string): object {
  const [name = '', ...rest] = names;
  const value = fieldOf(object, name) ?? requested(account, object as Fields, name);
  if (value === null) return object;
  // Its own id is no reference, and what a caller wrote into metadata only looks like one.
  if (name === 'id' || name === 'metadata' || !['string', 'object'].includes(typeof value))
    throw nowhere(path);
  if (Array.isArray(value)) {
    return {
      ...object,
      [name]: value.map((row) => (rest.length > 0 ? walk(account, row, rest, path) : row)),
    };
  }
  const found = typeof value === 'string' ? shown(objectOf(account, value, path)) : (value as object);
  return { ...object, [name]: rest.length > 0 ? walk(account, found, rest, path) : found };
}

/** A field that is there, not one that every object of JavaScript has. */
function fieldOf(object: object, name: string): unknown {
  return typeof object === 'object' && Object.hasOwn(object, name) ? (object as Fields)[name] : undefined;
}

/** Fields that Stripe leaves out until they are asked for. */
function requested(account: Account, { object, id }: Fields, name: string): unknown {
  const key = String(id);
  const { tiers, invoicePayments } = account.tables;
  if (object === 'price' && name === 'tiers') {
    const made = tiers.get(key)?.tiers.map(({ up_to, unit }) => ({
      ...nulls('flat_amount flat_amount_decimal'),
      unit_amount: wholeOf(unit),
      unit_amount_decimal: unit,
      up_to,
    }));
    // Of a price without tiers nothing is left to show.
    return made ?? null;
  }
  if (object === 'invoice' && name === 'payments') {
    const url = `/v1/invoice_payments?invoice=${key}`;
    return { object: 'list', data: invoicePayments.by('invoice', key), has_more: false, url };
  }
  return undefined;
}

function objectOf({ tables }: Account, id: string, path: string): object {
  const { customers, deletedCustomers, paymentMethods, products, prices, subscriptions } = tables;
  const { invoices, invoiceItems, paymentIntents, charges, testClocks } = tables;
  const billing = [customers, deletedCustomers, products, prices, subscriptions, invoices, invoiceItems];
  for (const table of [...billing, paymentMethods, paymentIntents, charges, testClocks]) {
    const found = table.get(id);
    if (found) return found;
  }
  throw nowhere(path);
}

function isList(object: object): object is { data: unknown[] } {
  return (object as Fields).object === 'list';
}

function nowhere(path: string): ApiError {
  return invalid(`This property cannot be expanded (${path}).`, 'expand');
}
