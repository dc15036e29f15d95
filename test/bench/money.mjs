// A 20-line invoice of five graduated tiers each: our bigint against decimal.js, equal totals asserted.
import { Decimal } from 'decimal.js';
import { formatCents, parseUsd, tierLines } from 'meterbridge';
import { pairs, seconds } from './pairs.mjs';

export const names = ['money.vs_decimal'];

const PRICES = ['0.01', '0.008', '0.00512345', '0.0025', '0.00012345'];
const ENDS = [1_000, 6_000, 20_000, 100_000, null];
const TIERS = PRICES.map((price, index) => ({ upTo: ENDS[index], unitPrice: parseUsd(price) }));
const DECIMAL_TIERS = PRICES.map((price, index) => ({ upTo: ENDS[index], price: new Decimal(price) }));
const QUANTITIES = Array.from({ length: 20 }, (_, line) => 997 * (line + 1) ** 2);
const INVOICES = 500;

function ours() {
  let total = 0n;
  for (const quantity of QUANTITIES) for (const { amount } of tierLines(TIERS, quantity)) total += amount;
  return formatCents(total);
}

function decimals() {
  let total = new Decimal(0);
  for (const quantity of QUANTITIES) {
    let from = 0;
    for (const { upTo, price } of DECIMAL_TIERS) {
      const part = Math.min(quantity, upTo ?? quantity) - from;
      if (part > 0) total = total.plus(price.times(part).toDecimalPlaces(2, Decimal.ROUND_HALF_UP));
      from += Math.max(part, 0);
    }
  }
  return total.toFixed(2);
}

export async function run(report) {
  if (ours() !== decimals()) throw new Error(`the totals differ: ${ours()} and ${decimals()}`);
  const timed = (work) => () =>
    seconds(() => {
      for (let n = 0; n < INVOICES; n += 1) work();
    });
  const { a, ratio } = await pairs(timed(ours), timed(decimals));
  report({
    name: 'money.vs_decimal',
    value: (a / INVOICES) * 1e6,
    unit: 'us/invoice',
    against: 'decimal.js, times faster',
    ratio: 1 / ratio,
  });
}
