/** Who owes what, as Stripe has it now. */
import type Stripe from 'stripe';
import type { Arrears } from './ladder.js';

/** An unpaid invoice that was tried to be charged. */
export interface Unpaid extends Arrears {
  readonly invoiceId: string;
  readonly amountCents: number;
}

/** A charge that failed for good leaves its invoice in one of these. */
const UNPAID = ['open', 'uncollectible'] as const;

/**
 * The unpaid invoices of the tenant that a customer belongs to, which may have a second customer, made by
 * hand. All customers are paged through for it, since Stripe's search lags; of most tenants the first owes
 * nothing and nobody is chased (`isChased`), and they are left alone.
 */
export async function unpaidOfTenant(
  stripe: Stripe,
  { id: own, metadata: { tenant_id: tenantId }, test_clock: clock }: Stripe.Customer,
  { isChased }: { isChased: boolean },
): Promise<Unpaid[]> {
  const unpaid = await unpaidOf(stripe, own);
  if (unpaid.length === 0 && !isChased) return [];
  const filter = clock ? { test_clock: typeof clock === 'string' ? clock : clock.id } : {};
  for await (const { id, metadata } of stripe.customers.list({ limit: 100, ...filter }))
    if (metadata.tenant_id === tenantId && id !== own) unpaid.push(...(await unpaidOf(stripe, id)));
  return unpaid.sort((a, b) => a.firstFailure.getTime() - b.firstFailure.getTime());
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

/** The id of an invoice's customer. */
export function customerOf({ customer }: Stripe.Invoice): string | undefined {
  return typeof customer === 'string' ? customer : (customer?.id ?? undefined);
}

/** Tried at least once, in vain. */
const isFailed = (invoice: Stripe.Invoice) => invoice.attempted && invoice.amount_remaining > 0;
