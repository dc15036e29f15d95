/** One call of each supported method of the SDK: run in the process and over HTTP. */
import Stripe from 'stripe';
import type { LocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { at } from '../support/local-stripe.js';

/** Calls every supported method of a local Stripe through a client. */
export async function tour(stripe: Stripe, local: LocalStripe): Promise<void> {
  const { id: clock } = await stripe.testHelpers.testClocks.create({
    frozen_time: at('2025-11-01'),
    name: 'tour',
  });
  await stripe.testHelpers.testClocks.list();
  const product = await stripe.products.create({ name: 'Pro', metadata: { plan: 'pro' } });
  await stripe.products.retrieve(product.id);
  await stripe.products.list({ ids: [product.id] });
  await catalogue(stripe, product.id);
  const [meter, price, usage] = await prices(stripe, product.id);
  const customer = await customers(stripe, clock);
  await usageOf(stripe, { meter, customer });
  await subscriptions(stripe, { customer, price, usage });
  await invoices(stripe, customer);
  await stripe.testHelpers.testClocks.advance(clock, { frozen_time: at('2025-12-02') });
  await local.settled();
  await stripe.testHelpers.testClocks.retrieve(clock);
  await payments(local, stripe, customer);
  await redaction(stripe);
  await events(stripe);
  await stripe.customers.del(customer);
  await stripe.customers.retrieve(customer);
  await stripe.testHelpers.testClocks.del(clock);
}

async function catalogue(stripe: Stripe, product: string) {
  const price = await stripe.prices.create({
    currency: 'usd',
    product,
    unit_amount_decimal: Stripe.Decimal.from('12.5'),
    lookup_key: 'pro',
    recurring: { interval: 'year' },
  });
  await stripe.prices.update(price.id, { active: false, metadata: { old: 'yes' } });
  await stripe.prices.retrieve(price.id);
  await stripe.prices.list({ product, lookup_keys: ['pro'] });
}

async function prices(stripe: Stripe, product: string): Promise<[string, string, string]> {
  const meter = await stripe.billing.meters.create({
    display_name: 'Queries',
    event_name: 'queries',
    default_aggregation: { formula: 'sum' },
  });
  await stripe.billing.meters.retrieve(meter.id);
  await stripe.billing.meters.list({ status: 'active' });
  const base = await stripe.prices.create({
    currency: 'usd',
    product,
    unit_amount: 1_000,
    recurring: { interval: 'month' },
  });
  const usage = await stripe.prices.create({
    currency: 'usd',
    product,
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    tiers: [
      { up_to: 10, unit_amount: 0 },
      { up_to: 'inf', unit_amount_decimal: Stripe.Decimal.from('0.5') },
    ],
    expand: ['tiers'],
  });
  return [meter.id, base.id, usage.id];
}

async function customers(stripe: Stripe, test_clock: string) {
  const { id: customer } = await stripe.customers.create({
    email: 'ada@example.com',
    test_clock,
    metadata: { tenant: 'acme' },
  });
  const made = await stripe.paymentMethods.attach('pm_card_mastercard', { customer });
  await stripe.paymentMethods.retrieve(made.id);
  await stripe.paymentMethods.list({ customer });
  await stripe.paymentMethods.detach(made.id);
  const { id: method } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  await stripe.customers.listPaymentMethods(customer);
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: method } });
  await stripe.customers.retrieve(customer, {
    expand: ['invoice_settings.default_payment_method', 'test_clock'],
  });
  await stripe.customers.list({ email: 'ada@example.com' });
  await stripe.customers.search({ query: "metadata['tenant']:'acme' AND email:'ada@example.com'" });
  await stripe.customers.createBalanceTransaction(customer, { amount: -100, currency: 'usd' });
  await stripe.customers.listBalanceTransactions(customer);
  return customer;
}

async function usageOf(stripe: Stripe, { meter, customer }: { meter: string; customer: string }) {
  const payload = { stripe_customer_id: customer, value: '4' };
  await stripe.billing.meterEvents.create({ event_name: 'queries', payload, identifier: 'one' });
  await stripe.billing.meterEvents.create({ event_name: 'queries', payload, identifier: 'two' });
  await stripe.billing.meterEventAdjustments.create({
    event_name: 'queries',
    type: 'cancel',
    cancel: { identifier: 'two' },
  });
  await stripe.v2.billing.meterEvents.create({ event_name: 'queries', payload, identifier: 'three' });
  await stripe.billing.meters.listEventSummaries(meter, {
    customer,
    start_time: at('2025-11-01'),
    end_time: at('2025-12-01'),
    value_grouping_window: 'day',
  });
}

async function subscriptions(
  stripe: Stripe,
  { customer, price, usage }: { customer: string; price: string; usage: string },
) {
  const sub = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    expand: ['latest_invoice.payments', 'customer', 'items.data.price.product'],
  });
  await stripe.subscriptions.retrieve(sub.id);
  await stripe.subscriptions.list({ customer });
  const item = await stripe.subscriptionItems.create({ subscription: sub.id, price: usage });
  await stripe.subscriptionItems.retrieve(item.id);
  await stripe.subscriptionItems.update(sub.items.data[0]?.id ?? '', {
    quantity: 2,
    proration_behavior: 'always_invoice',
  });
  await stripe.subscriptionItems.list({ subscription: sub.id });
  await stripe.subscriptions.update(sub.id, { metadata: { tenant: 'acme' }, cancel_at_period_end: false });
  await stripe.invoices.createPreview({ subscription: sub.id });
  await stripe.subscriptionItems.del(item.id);
  const other = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    trial_period_days: 1,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  });
  await stripe.subscriptions.cancel(other.id, { invoice_now: true, prorate: true });
}

async function invoices(stripe: Stripe, customer: string) {
  const item = await stripe.invoiceItems.create({ customer, amount: 700, description: 'Setup' });
  await stripe.invoiceItems.retrieve(item.id);
  await stripe.invoiceItems.list({ customer, pending: true });
  const made = async () => {
    const { id = '' } = await stripe.invoices.create({ customer });
    await stripe.invoiceItems.create({ customer, amount: 500, invoice: id });
    return id;
  };
  const [paid, voided, lost] = [await made(), await made(), await made()];
  await stripe.invoices.update(paid, { description: 'By hand' });
  await stripe.invoices.listLineItems(paid);
  await stripe.invoices.finalizeInvoice(paid);
  await stripe.invoices.pay(paid);
  await stripe.invoices.retrieve(paid, { expand: ['payments', 'customer'] });
  await stripe.invoices.finalizeInvoice(voided);
  await stripe.invoices.voidInvoice(voided);
  await stripe.invoices.finalizeInvoice(lost);
  await stripe.invoices.markUncollectible(lost);
  await stripe.invoices.list({ customer, status: 'paid' });
}

async function payments(local: LocalStripe, stripe: Stripe, customer: string) {
  const [intent] = (await stripe.paymentIntents.list({ customer })).data;
  await stripe.paymentIntents.retrieve(intent?.id ?? '', { expand: ['latest_charge'] });
  const [charge] = (await stripe.charges.list({ customer })).data;
  await stripe.charges.retrieve(charge?.id ?? '');
  const [payment] = (await stripe.invoicePayments.list({ status: 'paid' })).data;
  await stripe.invoicePayments.retrieve(payment?.id ?? '');
  const { id: dispute } = local.dispute(charge?.id ?? '');
  await stripe.disputes.list();
  await stripe.disputes.retrieve(dispute);
}

async function redaction(stripe: Stripe) {
  const { id: customer } = await stripe.customers.create({ email: 'ada@example.com' });
  const jobs = '/v1/privacy/redaction_jobs';
  const { id } = (await stripe.rawRequest('POST', jobs, { objects: { customers: [customer] } })) as {
    id: string;
  };
  await stripe.rawRequest('GET', `${jobs}/${id}`);
  await stripe.rawRequest('POST', `${jobs}/${id}/run`);
}

async function events(stripe: Stripe) {
  const [event] = (await stripe.events.list({ type: 'invoice.paid' })).data;
  await stripe.events.retrieve(event?.id ?? '');
  const { id } = await stripe.webhookEndpoints.create({
    url: 'http://127.0.0.1:9/',
    enabled_events: ['invoice.paid'],
  });
  await stripe.webhookEndpoints.list();
  await stripe.webhookEndpoints.del(id);
}
