/**
 * A subscription's terms, read from what Stripe billed for it. Each line of an invoice says which plan
 * held from which instant, so the whole history comes from the state of today: an event that came twice,
 * late or not at all leaves no trace in it.
 */
import type Stripe from 'stripe';
import type { TenantState, TenantTerms } from '../../metering/tenants.js';
import { PLANS, type PlanName } from '../../plans.js';
import { fromSeconds, idOf } from '../context.js';

/** From an instant on, this plan. */
interface Segment {
  readonly from: number;
  readonly plan: PlanName;
}

/** Not yet begun, or never: the first payment is missing. Others are billed, and used. */
const NOT_BEGUN: readonly string[] = ['incomplete', 'incomplete_expired'];

/**
 * @param tenantId the tenant of its customer
 * @param invoices all of the subscription, as Stripe lists them, with all their lines
 * @returns in order of time; nothing for a subscription that has not begun or was not made here
 */
export function termsOfSubscription(
  tenantId: string,
  subscription: Stripe.Subscription,
  invoices: readonly Stripe.Invoice[],
): TenantTerms[] {
  const current = currentPlan(subscription);
  if (!current || NOT_BEGUN.includes(subscription.status)) return [];
  const { start_date: begun, trial_end: trialEnd, ended_at: ended } = subscription;
  const billed = segmentsOf(invoices).filter(({ from }) => from >= (trialEnd ?? begun));
  // A trial bills nothing, so that its lines do not tell of a change in it: the plan at its end is taken.
  const first = { from: begun, plan: billed[0]?.plan ?? current };
  // Also where the plan goes on as it was: what was once recorded from that instant may have been taken back.
  const changes = [first, ...billed.filter(({ from }) => from > begun)];
  const termsFrom = (from: number, plan: PlanName, state: TenantState): TenantTerms => ({
    tenantId,
    effectiveFrom: fromSeconds(from),
    plan,
    state,
    ...(trialEnd !== null && { trialEndsAt: fromSeconds(trialEnd) }),
  });
  const terms = changes.map(({ from, plan }) => termsFrom(from, plan, 'active'));
  if (ended !== null) terms.push(termsFrom(ended, changes.at(-1)?.plan ?? current, 'deleted'));
  return terms;
}

function segmentsOf(invoices: readonly Stripe.Invoice[]): Segment[] {
  const plans = new Map<number, PlanName>();
  // Stripe lists the newest first, and that decides between two of one second.
  for (const { lines } of [...invoices].reverse().sort((a, b) => a.created - b.created)) {
    for (const line of lines.data) {
      const plan = planOf(line.pricing?.price_details?.product);
      // A credit names the plan that held before. Of two lines from one instant the later invoice's is
      // right: the 1st of a month is billed at the old plan, and then at the one that waited for it.
      if (plan && line.amount >= 0) plans.set(line.period.start, plan);
    }
  }
  return [...plans].map(([from, plan]) => ({ from, plan })).sort((a, b) => a.from - b.from);
}

function currentPlan({ items }: Stripe.Subscription): PlanName | undefined {
  const products = items.data.map(({ price }) => price.product);
  return products.map((product) => planOf(idOf(product))).find(Boolean);
}

/** Products are named for their plans, see catalogue.ts. */
function planOf(product: string | undefined): PlanName | undefined {
  const name = product?.replace(/^meterbridge_/, '') ?? '';
  return Object.hasOwn(PLANS, name) ? (name as PlanName) : undefined;
}
