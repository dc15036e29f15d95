/** The most that can be used: what is used must have an amount, or no invoice could bill it. */
import { invalid } from '../http/api-error.js';
import { formatDecimal, ONE, parseDecimal } from '../money/decimal.js';
import { EXACT_CENT } from '../money/price-lines.js';
import type { Account } from '../state/account.js';
import type { MeterEventRow } from '../state/rows.js';
import type { Price } from '../state/tables.js';

/** Of one customer and one price, ever: a tenth of the largest amount of a line, in exact cents. */
const LARGEST = 10n ** 13n * EXACT_CENT;

/** Notes what an event adds. @throws ApiError 400 when a price of the meter could not bill it. */
export function countUsage(account: Account, { meter, customer, value }: MeterEventRow): void {
  const { meters, prices, usageTotals } = account.tables;
  const id = `${meter}/${customer}`;
  const { formula } = meters.one(meter).default_aggregation;
  const used = formula === 'count' ? ONE : parseDecimal(value);
  const before = mostUsed(account, id);
  const sum = formula === 'last' ? larger(used, before) : before + (used > 0n ? used : 0n);
  for (const price of prices.by('meter', meter)) {
    if (used > 0n && sum * dearestUnit(account, price) > LARGEST) throw tooMuch(price);
  }
  usageTotals.put({ id, most: formatDecimal(sum) });
}

/** @throws ApiError 400 for a price that could not bill what a customer has used already. */
export function checkUsage(account: Account, customer: string, price: Price): void {
  const most = mostUsed(account, `${price.recurring?.meter}/${customer}`);
  if (most * dearestUnit(account, price) > LARGEST) throw tooMuch(price);
}

function mostUsed({ tables }: Account, id: string): bigint {
  return parseDecimal(tables.usageTotals.get(id)?.most ?? '0');
}

/** The most that one unit of a price costs, in units of 1e-12 cents; 0 where nothing of it costs anything. */
export function dearestUnit({ tables }: Account, { id, unit_amount_decimal: unit }: Price): bigint {
  const { tiers = [] } = tables.tiers.get(id) ?? {};
  return [unit, ...tiers.map((tier) => tier.unit)]
    .map((amount) => parseDecimal(amount ?? '0'))
    .reduce(larger);
}

/** Math.max() knows no bigint. */
function larger(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}

function tooMuch({ id }: Price) {
  return invalid(`The usage is too large: no invoice could bill it by ${id}.`, 'value', 'amount_too_large');
}
