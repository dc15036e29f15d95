/** Brings a tenant's terms in ClickHouse, and the plan at the gate, to what Stripe has. */
import type { ClickHouseClient } from '@clickhouse/client';
import type Stripe from 'stripe';
import { recordTenants, type TenantTerms, tenantTermsIn } from '../../metering/tenants.js';
import type { RedisClient } from '../../redis-client.js';
import { setPlan } from '../../tenants/gate-entry.js';
import { wholeInvoices } from '../whole-invoices.js';
import { termsOfSubscription } from './subscription-terms.js';

/** All that a tenant's terms may lie in. */
const EVER = { start: new Date(0), end: new Date('2200-01-01T00:00:00Z') };

/**
 * Writes what is new; the same state is written once. To be called with the tenant's lock held.
 *
 * @param customer `now` decides which plan the gate is told
 */
export async function recordTerms(
  { stripe, clickhouse, redis }: { stripe: Stripe; clickhouse: ClickHouseClient; redis: RedisClient },
  { tenantId, customerId, now }: { tenantId: string; customerId: string; now: Date },
): Promise<void> {
  const wanted = await wantedTerms(stripe, tenantId, customerId);
  const kept = await tenantTermsIn(clickhouse, { tenantId, period: EVER });
  const missing: TenantTerms[] = [];
  for (const terms of wanted) {
    // Written where what holds at that instant is something else: whoever was there first may have dated
    // the same terms a moment earlier.
    if (!sameTerms(terms, heldAt([...kept, ...missing], terms.effectiveFrom))) missing.push(terms);
  }
  await recordTenants(clickhouse, missing);
  const holds = heldAt([...kept, ...missing], now);
  await setPlan(redis, tenantId, holds?.state === 'active' ? holds.plan : 'none');
}

async function wantedTerms(stripe: Stripe, tenantId: string, customer: string): Promise<TenantTerms[]> {
  const histories: TenantTerms[][] = [];
  for await (const subscription of stripe.subscriptions.list({ customer, status: 'all', limit: 100 })) {
    const invoices: Stripe.Invoice[] = [];
    for await (const invoice of wholeInvoices(stripe, { subscription: subscription.id }))
      invoices.push(invoice);
    // Stripe lists the newest first.
    histories.unshift(termsOfSubscription(tenantId, subscription, invoices));
  }
  return inOneLine(histories);
}

/**
 * The histories of a tenant's subscriptions, the oldest first, as one. An end counts unless another
 * subscription lives on; of two that begin at once the newer one's terms hold.
 */
function inOneLine(histories: readonly TenantTerms[][]): TenantTerms[] {
  const livesOn = (instant: Date) => (other: TenantTerms[]) =>
    other[0] && other[0].effectiveFrom < instant && heldAt(other, instant)?.state === 'active';
  return histories
    .flatMap((own) =>
      own.filter((one) => one.state !== 'deleted' || !histories.some(livesOn(one.effectiveFrom))),
    )
    .sort((a, b) => a.effectiveFrom.getTime() - b.effectiveFrom.getTime())
    .flatMap((one, _, all) => {
      const atOnce = all.filter(({ effectiveFrom }) => Number(effectiveFrom) === Number(one.effectiveFrom));
      if (atOnce.at(-1) !== one) return [];
      const end = atOnce.find(({ state }) => state === 'deleted');
      if (!end || end === one) return [one];
      // A return in the second of the end: without the end both subscriptions would bill what was used before.
      return [{ ...end, effectiveFrom: new Date(end.effectiveFrom.getTime() - 1) }, one];
    });
}

/** The last of those that began by then; of two that began at once the later one in the list. */
function heldAt(terms: readonly TenantTerms[], instant: Date): TenantTerms | undefined {
  const begun = terms.filter(({ effectiveFrom }) => effectiveFrom <= instant);
  return begun.reduce<TenantTerms | undefined>(
    (last, next) => (last && last.effectiveFrom > next.effectiveFrom ? last : next),
    undefined,
  );
}

function sameTerms(one: TenantTerms, other: TenantTerms | undefined): boolean {
  const isSame = one.plan === other?.plan && one.state === other.state;
  return isSame && one.trialEndsAt?.getTime() === other.trialEndsAt?.getTime();
}
