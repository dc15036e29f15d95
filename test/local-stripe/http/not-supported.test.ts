import type Stripe from 'stripe';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../../support/local-stripe.js';

let bench: Bench;
let stripe: Stripe;
let customer = '';
let subscription = '';
let item = '';
beforeEach(async () => {
  bench = await openBench();
  stripe = bench.stripe;
  ({ id: customer } = await bench.customer());
  const items = [{ price: (await bench.monthly(1_000)).id }];
  const made = await stripe.subscriptions.create({ customer, items, trial_period_days: 7 });
  subscription = made.id;
  item = made.items.data[0]?.id ?? '';
});

const REFUSED_CALLS: Record<string, () => Promise<unknown>> = {
  'paymentMethods.create': () => stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } }),
  'subscriptions.resume': () => stripe.subscriptions.resume(subscription),
  'meters.update': () => stripe.billing.meters.update(bench.meter.id, { display_name: 'Asked' }),
  'meters.deactivate': () => stripe.billing.meters.deactivate(bench.meter.id),
  'meters.reactivate': () => stripe.billing.meters.reactivate(bench.meter.id),
  'products.update': () => stripe.products.update(bench.product.id, { description: 'For teams' }),
  'invoiceItems.del': () => stripe.invoiceItems.del('ii_1'),
  'webhookEndpoints.retrieve': () => stripe.webhookEndpoints.retrieve('we_1'),
  'webhookEndpoints.update': () => stripe.webhookEndpoints.update('we_1', { disabled: true }),
  'v2 meterEventAdjustments': () =>
    stripe.v2.billing.meterEventAdjustments.create({
      event_name: 'queries',
      type: 'cancel',
      cancel: { identifier: 'one' },
    }),
};

const priceWith = (params: Partial<Stripe.PriceCreateParams>) =>
  stripe.prices.create({
    currency: 'usd',
    product: bench.product.id,
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    recurring: { interval: 'month' },
    ...params,
  });
const updateWith = (params: Stripe.SubscriptionUpdateParams) =>
  stripe.subscriptions.update(subscription, params);
const previewWith = (subscription_details: Stripe.InvoiceCreatePreviewParams.SubscriptionDetails) =>
  stripe.invoices.createPreview({ subscription, subscription_details });

const REFUSED_PARAMS: Record<string, () => Promise<unknown>> = {
  'tiers[0][flat_amount]': () => priceWith({ tiers: [{ up_to: 'inf', flat_amount: 100 }] }),
  lookup_key: async () => stripe.prices.update((await bench.monthly(5)).id, { lookup_key: 'pro' }),
  proration_behavior: async () => {
    const items = [{ price: (await bench.monthly(2_000)).id }];
    return stripe.subscriptions.create({ customer, items, proration_behavior: 'none' });
  },
  billing_cycle_anchor: () => updateWith({ billing_cycle_anchor: { type: 'now' } }),
  payment_behavior: () => updateWith({ payment_behavior: 'error_if_incomplete' }),
  'pause_collection[resumes_at]': () => updateWith({ pause_collection: { behavior: 'void', resumes_at: 1 } }),
  'cancellation_details[feedback]': () => updateWith({ cancellation_details: { feedback: 'unused' } }),
  off_session: () => updateWith({ off_session: true }),
  'subscription_details[cancel_now]': () => previewWith({ cancel_now: true }),
  'subscription_details[cancel_at_period_end]': () => previewWith({ cancel_at_period_end: true }),
  'subscription_details[trial_end]': () => previewWith({ trial_end: 'now' }),
  days_until_due: () => stripe.invoices.create({ customer, days_until_due: 7 }),
  active: () => stripe.products.list({ active: true }),
  price: () => stripe.subscriptions.list({ price: 'price_1' }),
  delivery_success: () => stripe.events.list({ delivery_success: false }),
  'subscription_details[billing_cycle_anchor]': () => previewWith({ billing_cycle_anchor: { type: 'now' } }),
};

describe('what Stripe has and the local Stripe does not', () => {
  it.each(Object.entries(REFUSED_CALLS))('is refused by its address: %s', async (_name, call) => {
    const message = expect.stringMatching(/^Unrecognized request URL \((POST|GET|DELETE): \/v[12]\//);
    await expect(call()).rejects.toMatchObject({ statusCode: 404, message });
  });

  it.each(Object.entries(REFUSED_PARAMS))('is refused by its name: %s', async (param, call) => {
    const message = expect.stringContaining(`${param}. If Stripe knows it, it is not supported`);
    await expect(call()).rejects.toMatchObject({ code: 'parameter_unknown', param, message });
    expect((await stripe.subscriptions.retrieve(subscription)).items.data[0]?.id).toBe(item);
  });

  it('is refused by its value: a first invoice that only waits to be paid', async () => {
    const items = [{ price: (await bench.monthly(2_000)).id }];
    const made = stripe.subscriptions.create({ customer, items, payment_behavior: 'default_incomplete' });
    const message = expect.stringContaining('another value is not supported by the local Stripe');
    await expect(made).rejects.toMatchObject({ statusCode: 400, param: 'payment_behavior', message });
  });

  it('is refused by its value: an event that never comes', async () => {
    const enabled_events = ['charge.refunded'] as const;
    const made = stripe.webhookEndpoints.create({
      url: 'http://127.0.0.1:9/',
      enabled_events: [...enabled_events],
    });
    const message = expect.stringContaining('not a type that the local Stripe sends');
    await expect(made).rejects.toMatchObject({ param: 'enabled_events[0]', message });
  });

  it('is the preview of a new subscription', async () => {
    const items = [{ price: (await bench.monthly(2_000)).id }];
    const preview = stripe.invoices.createPreview({ customer, subscription_details: { items } });
    await expect(preview).rejects.toMatchObject({ code: 'parameter_missing', param: 'subscription' });
  });

  it.each([
    [
      'invoice',
      'confirmation_secret',
      async () => {
        const { latest_invoice: latest } = await stripe.subscriptions.retrieve(subscription);
        return stripe.invoices.retrieve(String(latest), { expand: ['confirmation_secret'] });
      },
    ],
    ['customer', 'subscriptions', () => stripe.customers.retrieve(customer, { expand: ['subscriptions'] })],
  ])('is no field of %s: %s', async (_object, name, call) => {
    const message = `This property cannot be expanded (${name}).`;
    await expect(call()).rejects.toMatchObject({ statusCode: 400, param: 'expand', message });
  });
});
