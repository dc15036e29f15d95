// The local Stripe: a thousand renewals in one advance of its clock, and requests in the process and over HTTP.
import Stripe from 'stripe';
import { createLocalStripe } from '../../.build/local-stripe/create-local-stripe.js';
import { listen } from '../../.build/server/listen.js';
import { median, seconds } from './pairs.mjs';

export const names = ['local_stripe.renew_1000_s', 'local_stripe.requests_s'];

const SUBSCRIPTIONS = 1_000;
const REQUESTS = 500;
const ROUNDS = 3;
const begins = Date.parse('2025-11-01T00:00:00Z') / 1_000;
const ends = Date.parse('2025-12-01T01:00:00Z') / 1_000;

export async function run(report, wanted) {
  if (wanted('local_stripe.renew_1000_s')) {
    const took = [];
    for (let round = 0; round < ROUNDS; round += 1) took.push(await renewal());
    const heap = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
    report({
      name: 'local_stripe.renew_1000_s',
      value: median(took),
      unit: 's',
      against: `renewed with usage and paid in one advance; heap ${heap} MB`,
    });
  }
  if (wanted('local_stripe.requests_s')) await requests(report);
}

async function opened() {
  const local = createLocalStripe({ now: () => new Date(begins * 1_000), clockLimits: false });
  const stripe = local.client();
  const meter = await stripe.billing.meters.create({
    display_name: 'Queries',
    event_name: 'queries',
    default_aggregation: { formula: 'sum' },
  });
  return { local, stripe, meter };
}

async function renewal() {
  const { local, stripe, meter } = await opened();
  const { id: clock } = await stripe.testHelpers.testClocks.create({ frozen_time: begins });
  const product = await stripe.products.create({ name: 'Starter' });
  const terms = { currency: 'usd', product: product.id };
  const base = await stripe.prices.create({ ...terms, unit_amount: 2_900, recurring: { interval: 'month' } });
  const usage = await stripe.prices.create({
    ...terms,
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    tiers: [
      { up_to: 1_000, unit_amount: 0 },
      { up_to: 'inf', unit_amount_decimal: Stripe.Decimal.from('0.1') },
    ],
  });
  for (let n = 0; n < SUBSCRIPTIONS; n += 1) {
    const { id: customer } = await stripe.customers.create({
      test_clock: clock,
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    await stripe.subscriptions.create({ customer, items: [{ price: base.id }, { price: usage.id }] });
    const payload = { stripe_customer_id: customer, value: '1500' };
    await stripe.billing.meterEvents.create({ event_name: 'queries', payload, timestamp: begins });
  }
  const spent = await seconds(async () => {
    await stripe.testHelpers.testClocks.advance(clock, { frozen_time: ends });
    await local.settled();
  });
  const paid = await stripe.invoices
    .list({ status: 'paid', limit: 100 })
    .autoPagingToArray({ limit: 10_000 });
  const renewed = paid.filter(({ billing_reason: reason }) => reason === 'subscription_cycle');
  if (renewed.length !== SUBSCRIPTIONS) throw new Error(`${renewed.length} of ${SUBSCRIPTIONS} were renewed`);
  await local.close();
  return spent;
}

async function requests(report) {
  const { local, stripe } = await opened();
  const server = await listen(local);
  const { hostname: host, port } = new URL(server.url);
  const remote = new Stripe('sk_test_x', { host, port: Number(port), protocol: 'http', telemetry: false });
  const { id } = await stripe.customers.create({});
  const timed = (client) =>
    seconds(async () => {
      for (let n = 0; n < REQUESTS; n += 1) {
        const payload = { stripe_customer_id: id, value: '1' };
        await client.billing.meterEvents.create({ event_name: 'queries', payload });
      }
    });
  for (const [where, client] of Object.entries({ 'in the process': stripe, 'over HTTP': remote })) {
    const took = [];
    for (let round = 0; round < ROUNDS; round += 1) took.push(await timed(client));
    report({
      name: 'local_stripe.requests_s',
      value: REQUESTS / median(took),
      unit: 'requests/s',
      against: where,
    });
  }
  await server.close();
  await local.close();
}
