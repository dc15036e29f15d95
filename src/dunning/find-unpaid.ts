/** Who owes what, as Stripe has it now. */
import type Stripe from 'stripe';
import { METADATA } from '../billing/context.js';
import { subscriptionsOf } from '../billing/find-subscription.js';
import { hasEnded } from '../billing/subscription-state.js';
import { sayFailure } from '../say-failure.js';
import type { DunningRecord } from './dunning-ledger.js';
import type { Arrears } from './ladder.js';
import { BY_COUNT } from './records.js';

/** An unpaid invoice that was tried to be charged. */
export interface Unpaid extends Arrears {
  readonly invoiceId: string;
  readonly amountCents: number;
}

/** What a tenant owes. */
export interface Owing {
  /** That which is longest overdue first. */
  readonly unpaid: readonly Unpaid[];
  /** Whether it had a subscription and none goes on: it has no access that could be taken from it. */
  readonly hasLeft: boolean;
}

export const NOTHING_OWED: Owing = { unpaid: [], hasLeft: false };

/** A charge that failed for good leaves its invoice in one of these. */
const UNPAID = ['open', 'uncollectible'] as const;

/** Whose customer it is, or was before the reconciliation found that it was one too many. */
export const tenantOf = ({ metadata }: Pick<Stripe.Customer, 'metadata'>): string | undefined =>
  metadata[METADATA.tenant] || metadata[METADATA.doubleOf];

/**
 * The unpaid invoices of the tenant that a customer belongs to, which may have a second customer, made by
 * hand. All customers are paged through for it, since Stripe's search lags; of most tenants the first owes
 * nothing and nobody is chased (`isChased`), and they are left alone.
 */
export async function unpaidOfTenant(
  stripe: Stripe,
  customer: Stripe.Customer,
  { isChased }: { isChased: boolean },
): Promise<Owing> {
  const { id: own, metadata, test_clock: clock } = customer;
  // What a customer owes that was one too many is no longer its tenant's.
  const customers = metadata[METADATA.tenant] ? [own] : [];
  const unpaid = customers.length > 0 ? await unpaidOf(stripe, own) : [];
  if (unpaid.length === 0 && !isChased) return NOTHING_OWED;
  const filter = clock ? { test_clock: typeof clock === 'string' ? clock : clock.id } : {};
  for await (const { id, metadata } of stripe.customers.list({ limit: 100, ...filter })) {
    if (metadata[METADATA.tenant] !== tenantOf(customer) || id === own) continue;
    customers.push(id);
    unpaid.push(...(await unpaidOf(stripe, id)));
  }
  return {
    unpaid: unpaid.sort((a, b) => a.firstFailure.getTime() - b.firstFailure.getTime()),
    hasLeft: unpaid.length > 0 && (await hasLeft(stripe, customers)),
  };
}

async function hasLeft(stripe: Stripe, customers: readonly string[]): Promise<boolean> {
  const all: Stripe.Subscription[] = [];
  for (const customer of customers) all.push(...(await subscriptionsOf(stripe, customer)));
  return all.length > 0 && all.every(hasEnded);
}

/** The unpaid invoices of a customer. */
async function unpaidOf(stripe: Stripe, customer: string): Promise<Unpaid[]> {
  const unpaid: Unpaid[] = [];
  for (const status of UNPAID) {
    for await (const invoice of stripe.invoices.list({ customer, status, limit: 100 })) {
      if (!isFailed(invoice)) continue;
      // The first charge is tried when the invoice is finalized.
      const first = invoice.status_transitions.finalized_at ?? invoice.created;
      unpaid.push({
        invoiceId: invoice.id ?? '',
        firstFailure: new Date(first * 1_000),
        amountCents: invoice.amount_remaining,
      });
    }
  }
  return unpaid;
}

/** How far back unpaid invoices are looked for of which nobody was told. */
const LOOK_BACK_SECONDS = 90 * 86_400;

/** The customers with an unpaid invoice of the last three months. */
export async function customersThatOwe(stripe: Stripe, now: Date): Promise<Set<string>> {
  const customers = new Set<string>();
  const created = { gte: Math.floor(now.getTime() / 1_000) - LOOK_BACK_SECONDS };
  for (const status of UNPAID) {
    for await (const invoice of stripe.invoices.list({ status, created, limit: 100 })) {
      const customer = customerOf(invoice);
      if (customer && isFailed(invoice)) customers.add(customer);
    }
  }
  return customers;
}

/** Those who owe, and those of whom the ledger does not know yet that they paid, by the newest record of each. */
export async function customersToCheck(
  stripe: Stripe,
  newest: readonly DunningRecord[],
  now: Date,
): Promise<Set<string>> {
  const customers = await customersThatOwe(stripe, now);
  for (const { action, about } of newest) {
    if (action === 'reactivated' || about === BY_COUNT) continue;
    const invoice = await stripe.invoices.retrieve(about).catch(sayFailure(`Dunning for ${about} waits`));
    const customer = invoice && customerOf(invoice);
    if (customer) customers.add(customer);
  }
  return customers;
}

const customerOf = ({ customer }: Stripe.Invoice): string | undefined =>
  typeof customer === 'string' ? customer : customer?.id;

/** Tried at least once, in vain. */
const isFailed = (invoice: Stripe.Invoice) => invoice.attempted && invoice.amount_remaining > 0;
