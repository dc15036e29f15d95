import Stripe from 'stripe';
import {
  createLocalStripe,
  type LocalStripe,
  type LocalStripeOptions,
} from '../../src/local-stripe/create-local-stripe.js';

/** Unix seconds of a time such as `2025-11-01` or `2025-11-01T12:00:00Z`. */
export const at = (time: string): number => Date.parse(time) / 1_000;

export type Bench = Awaited<ReturnType<typeof openBench>>;

/** A local Stripe with a clock at 1 November 2025, a catalogue and ways to say a history briefly. */
export async function openBench(
  options: LocalStripeOptions & { start?: string; config?: Stripe.StripeConfig } = {},
) {
  const { start = '2025-11-01', config = {}, ...settings } = options;
  const local = createLocalStripe({ seed: 'test', now: () => new Date(start), ...settings });
  const stripe = local.client(config);
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at(start) });
  const meter = await stripe.billing.meters.create({
    display_name: 'Queries',
    event_name: 'queries',
    default_aggregation: { formula: 'sum' },
    event_time_window: 'day',
  });
  const product = await stripe.products.create({ name: 'Pro' });
  return { local, stripe, clock, meter, product, ...helpersOf(local, stripe, { clock, meter, product }) };
}

function helpersOf(
  local: LocalStripe,
  stripe: Stripe,
  {
    clock,
    meter,
    product,
  }: { clock: Stripe.TestHelpers.TestClock; meter: Stripe.Billing.Meter; product: Stripe.Product },
) {
  return {
    /** A price per month, in cents. */
    monthly: (unit_amount: number, params: Partial<Stripe.PriceCreateParams> = {}) =>
      stripe.prices.create({
        currency: 'usd',
        product: product.id,
        unit_amount,
        recurring: { interval: 'month' },
        ...params,
      }),
    /** A metered price in tiers: [last unit, cents of a unit]. */
    tiered: (tiers: [number | 'inf', string][], mode: 'graduated' | 'volume' = 'graduated') =>
      stripe.prices.create({
        currency: 'usd',
        product: product.id,
        billing_scheme: 'tiered',
        tiers_mode: mode,
        recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
        tiers: tiers.map(([up_to, cents]) => ({ up_to, unit_amount_decimal: Stripe.Decimal.from(cents) })),
      }),
    /** A customer on the clock, with a test card unless it is null. */
    customer: async (card: string | null = 'pm_card_visa', params: Stripe.CustomerCreateParams = {}) => {
      const customer = await stripe.customers.create({ test_clock: clock.id, ...params });
      if (!card) return customer;
      const { id } = await stripe.paymentMethods.attach(card, { customer: customer.id });
      return stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: id } });
    },
    /** Reports usage of a customer. */
    use: (customer: string, value: number | string, day?: string) =>
      stripe.billing.meterEvents.create({
        event_name: meter.event_name,
        payload: { stripe_customer_id: customer, value: String(value) },
        ...(day && { timestamp: at(day) }),
      }),
    /** Moves the clock, and waits until it has arrived and all webhooks are delivered. */
    advance: async (time: string, id = clock.id) => {
      await stripe.testHelpers.testClocks.advance(id, { frozen_time: at(time) });
      await local.settled();
      const { status } = await stripe.testHelpers.testClocks.retrieve(id);
      if (status !== 'ready') throw new Error(`Cannot use the clock: it is ${status}`);
    },
    /** Types of the events that come while something is done, in order. */
    eventsOf: async (
      work: () => Promise<unknown>,
      ignored = /^test_helpers|^customer\.(created|updated)|^payment_method/,
    ) => {
      const all = () => stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 });
      const known = new Set((await all()).map(({ id }) => id));
      await work();
      const made = (await all()).filter(({ id }) => !known.has(id)).reverse();
      return made.filter(({ type }) => !ignored.test(type));
    },
    /** The lines of an invoice, as [amount, description]. */
    linesOf: async (invoice: string | Stripe.Invoice | null) => {
      const id = typeof invoice === 'string' ? invoice : (invoice?.id ?? '');
      const lines = await stripe.invoices.listLineItems(id, { limit: 100 });
      return lines.data.map(({ amount, description }): [number, string | null] => [amount, description]);
    },
    latestInvoice: async (subscription: string) => {
      const { latest_invoice: id } = await stripe.subscriptions.retrieve(subscription);
      return stripe.invoices.retrieve(id as string);
    },
  };
}
