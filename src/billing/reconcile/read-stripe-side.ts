/**
 * Each tenant at Stripe, read once for all comparisons. One call after the other: a sandbox takes 25 a
 * second.
 */
import type Stripe from 'stripe';
import { fromSeconds, idOf, METADATA } from '../context.js';
import { sdkOf } from '../sdk.js';
import { hasEnded } from '../subscription-state.js';
import { clockFilters } from '../test-clock.js';
import { wholeInvoices } from '../whole-invoices.js';
import type { Books } from './books.js';
import type { InvoicedLine } from './invoiced-line.js';
import { planLinesOf, waitingLineOf } from './plan-lines-of.js';
import { type PriceBook, readPlanPrices } from './plan-prices.js';
import { inRank, type StripeSubscription, type StripeTenant } from './stripe-tenant.js';

/** What belongs to a tenant by its name in the metadata. */
interface Holdings {
  readonly customers: string[];
  /** Customers that were one too many: their invoices still count. */
  readonly doubles: string[];
  readonly subscriptions: StripeSubscription[];
}

/** @example (await readStripeSide(books)).get('acme-corp')?.lines */
export async function readStripeSide(books: Books): Promise<Map<string, StripeTenant>> {
  const stripe = sdkOf(books.stripe);
  const prices = await readPlanPrices(books.stripe, books.catalogue);
  const side = new Map<string, StripeTenant>();
  for (const [tenantId, { customers, doubles, subscriptions }] of await readHoldings(books, prices)) {
    const lines: InvoicedLine[] = [];
    const payers = [...customers, ...doubles, ...subscriptions.map(({ customerId }) => customerId)];
    for (const customer of new Set(payers)) {
      // The next invoice of any subscription takes what waits, also for one that has ended.
      const isTaken = subscriptions.some(({ customerId, isLive }) => isLive && customerId === customer);
      for await (const invoice of wholeInvoices(stripe, { customer }))
        lines.push(...planLinesOf(invoice, prices));
      for await (const item of stripe.invoiceItems.list({ customer, pending: true, limit: 100 }))
        lines.push(...waitingLineOf(item, prices, isTaken ? 'waiting' : 'stranded'));
    }
    side.set(tenantId, { tenantId, customers, subscriptions: inRank(subscriptions), lines });
  }
  return side;
}

async function readHoldings(books: Books, prices: PriceBook): Promise<Map<string, Holdings>> {
  const stripe = sdkOf(books.stripe);
  const tenants = new Map<string, Holdings>();
  const of = (tenantId: string): Holdings => {
    const tenant = tenants.get(tenantId) ?? { customers: [], doubles: [], subscriptions: [] };
    tenants.set(tenantId, tenant);
    return tenant;
  };
  const ofCustomer = new Map<string, string>();
  for (const filter of clockFilters(books.testClock)) {
    for await (const { id, metadata } of stripe.customers.list({ limit: 100, ...filter })) {
      const tenantId = metadata.tenant_id || metadata[METADATA.doubleOf];
      if (!tenantId) continue;
      ofCustomer.set(id, tenantId);
      // Lists begin with the newest.
      of(tenantId)[metadata.tenant_id ? 'customers' : 'doubles'].unshift(id);
    }
    for await (const subscription of stripe.subscriptions.list({ limit: 100, status: 'all', ...filter })) {
      const read = subscriptionOf(subscription, prices);
      // One that was made by hand may name no tenant; its customer does.
      const tenantId = subscription.metadata.tenant_id || ofCustomer.get(read.customerId);
      if (tenantId) of(tenantId).subscriptions.unshift(read);
    }
  }
  return tenants;
}

function subscriptionOf(subscription: Stripe.Subscription, prices: PriceBook): StripeSubscription {
  const { id, customer, metadata, status } = subscription;
  const fees = subscription.items.data.flatMap(({ price }) => prices.get(price.id) ?? []);
  return {
    id,
    customerId: idOf(customer),
    status,
    isLive: !hasEnded(subscription),
    isLeaving: subscription.cancel_at_period_end,
    plan: fees.find(({ isMetered }) => !isMetered)?.plan,
    hasOlderPrice: fees.some(({ isOlder }) => isOlder),
    namedPlan: metadata.plan,
    created: fromSeconds(subscription.created),
    trialEnd: subscription.trial_end === null ? undefined : fromSeconds(subscription.trial_end),
    endedAt: subscription.ended_at === null ? undefined : fromSeconds(subscription.ended_at),
  };
}
