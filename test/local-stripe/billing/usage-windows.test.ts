import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let customer: string;
beforeEach(async () => {
  await open();
});

/** A customer with usage at a cent a unit, on a meter that keeps the last report of a day. */
async function open(options: Parameters<typeof openBench>[0] = {}) {
  bench = await openBench(options);
  ({ id: customer } = await bench.customer());
}
async function subscribe() {
  const price = (await bench.tiered([['inf', '1']])).id;
  return (await bench.stripe.subscriptions.create({ customer, items: [{ price }] })).id;
}
const report = (value: number, day: string, identifier: string) =>
  bench.stripe.billing.meterEvents.create({
    event_name: 'queries',
    identifier,
    payload: { stripe_customer_id: customer, value: String(value) },
    timestamp: at(day),
  });
const cancel = (identifier: string) =>
  bench.stripe.billing.meterEventAdjustments.create({
    event_name: 'queries',
    type: 'cancel',
    cancel: { identifier },
  });

describe('a meter that keeps the last report of a day', () => {
  it('goes by the order of coming, also within one second and for one timestamp', async () => {
    const id = await subscribe();
    for (const [place, value] of [5, 9, 2].entries()) await report(value, '2025-11-01', `v${place}`);
    await bench.advance('2025-12-02');
    expect((await bench.latestInvoice(id)).total).toBe(2);
  });

  it('falls back on the report before when the last one is cancelled', async () => {
    const id = await subscribe();
    await report(5, '2025-11-01', 'v0');
    await report(9, '2025-11-01', 'v1');
    expect(await cancel('v1')).toMatchObject({ status: 'complete' });
    await expect(cancel('v1')).rejects.toMatchObject({ param: 'cancel[identifier]' });
    await expect(report(7, '2025-11-01', 'v1')).rejects.toThrow('already exists with identifier v1');
    await bench.advance('2025-12-02');
    expect((await bench.latestInvoice(id)).total).toBe(5);
  });

  it('keeps an adjustment off a final invoice', async () => {
    const id = await subscribe();
    await bench.advance('2025-11-30T23:00:00Z');
    await report(9, '2025-11-30', 'v0');
    await bench.advance('2025-12-01T02:00:00Z');
    await cancel('v0');
    expect((await bench.latestInvoice(id)).total).toBe(9);
    await bench.advance('2026-01-02');
    expect((await bench.latestInvoice(id)).total).toBe(0);
  });

  it('counts for each of a customer’s subscriptions', async () => {
    const one = await subscribe();
    const other = await subscribe();
    await report(30, '2025-11-01', 'v0');
    await bench.advance('2025-12-02');
    const totals = await Promise.all([one, other].map(async (id) => (await bench.latestInvoice(id)).total));
    expect(totals).toEqual([30, 30]);
  });
});

describe('a grace of 72 hours that a clock goes through in one advance', () => {
  it('bills each day’s period once, in its own invoice', async () => {
    await open({ usageGraceHours: 72, clockLimits: false });
    const daily = await bench.monthly(1, {
      recurring: { interval: 'day', usage_type: 'metered', meter: bench.meter.id },
    });
    const { id } = await bench.stripe.subscriptions.create({ customer, items: [{ price: daily.id }] });
    await bench.advance('2025-11-04T12:00:00Z');
    for (const day of ['01', '02', '03']) await report(Number(day), `2025-11-${day}`, day);
    await bench.advance('2025-11-09');
    const { data } = await bench.stripe.invoices.list({ subscription: id });
    expect(data.map(({ total, status }) => [total, status]).reverse()).toEqual([
      [1, 'paid'],
      [2, 'paid'],
      [3, 'paid'],
      [0, 'paid'],
      [0, 'paid'],
      [0, 'draft'],
      [0, 'draft'],
      [0, 'draft'],
    ]);
  });
});

describe('a month that ends early', () => {
  it('keeps the day of the anchor', async () => {
    await open({ start: '2026-01-31' });
    const id = await subscribe();
    const ends: number[] = [];
    for (const day of ['2026-02-27', '2026-03-01', '2026-04-01', '2026-05-01', '2026-05-31']) {
      await bench.advance(day);
      ends.push((await bench.stripe.subscriptions.retrieve(id)).items.data[0]?.current_period_end ?? 0);
    }
    expect(ends).toEqual(['02-28', '03-31', '04-30', '05-31', '06-30'].map((day) => at(`2026-${day}`)));
  });
});
