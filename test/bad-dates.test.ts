import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prorate } from '../src/invoices/proration.js';
import { PRICE_TABLES, priceTableAt } from '../src/metering/costs.js';
import { tenantsAt } from '../src/metering/tenants.js';
import { formatCents } from '../src/money.js';
import { parseMonth } from '../src/period.js';
import { type Embedded, openEmbedded } from './support/embedded.js';

const never = new Date(Number.NaN);
const sentence = 'Cannot tell the day: the date is invalid';
let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

describe('an invalid date', () => {
  it('is refused where prices are looked up', () => {
    expect(() => priceTableAt(PRICE_TABLES, never)).toThrow(
      new RangeError('Cannot price event: its date is invalid'),
    );
  });

  it('is refused where a fee is split', () => {
    expect(() => prorate(1_000n, { from: never, period: parseMonth('2025-11') })).toThrow(
      new RangeError(sentence),
    );
  });

  it('is refused where tenants are listed', async () => {
    await expect(tenantsAt(engine.clickhouse, never)).rejects.toThrow(new RangeError(sentence));
  });
});

describe('money that is no bigint', () => {
  it('is refused where it is written', () => {
    expect(() => formatCents(1.5 as unknown as bigint)).toThrow(
      new TypeError('Cannot write money: need a bigint, current value is 1.5'),
    );
  });
});
