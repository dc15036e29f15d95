import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebhookEvent } from '../../../src/billing/webhooks/webhook-event.js';
import { createLocalStripe } from '../../../src/local-stripe/create-local-stripe.js';
import type { Notice } from '../../../src/notifier.js';
import { readGateEntry } from '../../../src/tenants/gate-entry.js';
import { billedTenant, dunningDayAt, handlersOf } from '../../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../../support/embedded.js';
import { seeded } from '../../support/seeded.js';

/**
 * One history: a trial, a month that is not paid, and then it is. Its six events come in all 720 orders, in
 * every second one with one of them twice, on day 5 of the ladder; and the last that tells of an invoice
 * comes again after the payment. Each order has a tenant of its own, and Stripe as it was at that moment.
 * Here every 23rd order is taken, by which each event comes before each other; `npm run crash` takes all.
 */
const EVERY = Number(process.env.ORDERS_EVERY ?? '23');
const COUNT = Math.ceil(720 / EVERY);

const TYPES = [
  'customer.subscription.created',
  'customer.subscription.trial_will_end',
  'customer.subscription.updated',
  'invoice.created',
  'invoice.paid',
  'invoice.payment_failed',
];
const NAME = 'tenant-of-the-orders';
const now = dunningDayAt(5);

let engine: Embedded;
let owing: string;
let paid: string;
let events: WebhookEvent[];
beforeAll(async () => {
  engine = await openEmbedded();
  const tenant = await billedTenant(engine, { tenantId: NAME, trialDays: 14 });
  const early = await tenant.events();
  tenant.failCard();
  await tenant.advance(now);
  const late = await tenant.events();
  owing = tenant.local.snapshot();
  await tenant.pay();
  paid = tenant.local.snapshot();
  events = TYPES.map((type) => [...early, ...late].find((one) => one.type === type) as WebhookEvent)
    // As if all had happened within one second.
    .map((event) => ({ ...event, created: 1 }));
});
afterAll(() => engine.close());

function ordersOf<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, place) =>
    ordersOf(list.filter((_, other) => other !== place)).map((rest) => [first, ...rest]),
  );
}

describe('six events of one history', () => {
  it(`lead to the same in ${COUNT} of 720 orders`, async () => {
    const random = seeded(720);
    const orders = ordersOf(events).filter((_, place) => place % EVERY === 0);
    const pairs = orders.flatMap((order) =>
      order.flatMap(({ type }, place) => order.slice(place + 1).map((later) => `${type} ${later.type}`)),
    );
    expect([events.length, orders.length, new Set(pairs).size]).toEqual([6, COUNT, 6 * 5]);
    const outcomes = new Map<string, number>();
    const run = async (number: number, order: readonly WebhookEvent[]) => {
      const tenantId = `order-${number}`;
      const told: Notice[] = [];
      const handleAll = async (state: string, list: readonly WebhookEvent[]) => {
        const local = createLocalStripe({ snapshot: state.replaceAll(NAME, tenantId), now: () => now });
        const { handle } = await handlersOf(local, { ...engine, told, now: () => now });
        for (const event of list) await handle(event);
      };
      await handleAll(owing, number % 2 ? [...order, random.pick(order)] : order);
      await handleAll(paid, order.filter(({ type }) => /paid|failed/.test(type)).slice(-1));
      const entry = await readGateEntry(engine.redis, tenantId);
      const outcome = JSON.stringify({ ...entry, told: told.map(({ topic, text }) => [topic, text]) });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };
    const waiting = [...orders.entries()];
    const lane = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await run(...next);
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    const told = [
      ['warning_sent', '$29.00 are still open; your limits are halved on 2025-12-07'],
      ['reactivated', 'Thank you, all is paid; your limits are as before'],
    ];
    expect([...outcomes]).toEqual([[JSON.stringify({ plan: 'starter', standing: 'good', told }), COUNT]]);
    const rows = await engine.rows(`
      SELECT count() AS tenants, sum(written) AS written, uniqExact(terms) AS different
      FROM (
        SELECT
          tenant_id,
          count() AS written,
          groupArray((effective_from, plan, state, trial_ends_at)) AS terms
        FROM tenant_quotas
        WHERE tenant_id LIKE 'order-%'
        GROUP BY tenant_id)`);
    expect(rows).toEqual([{ tenants: COUNT, written: COUNT, different: 1 }]);
  }, 300_000);
});
