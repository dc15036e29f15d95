/** Tenants here ↔ subscriptions at Stripe, as both stand now. */
import type { TenantTerms } from '../../metering/tenants.js';
import type { SubscriptionDifference } from './difference.js';
import type { Repair } from './repair.js';
import { customerOf, type StripeSubscription, type StripeTenant } from './stripe-tenant.js';

export function compareSubscriptions(
  tenants: readonly TenantTerms[],
  side: ReadonlyMap<string, StripeTenant>,
  now: Date,
): SubscriptionDifference[] {
  const terms = new Map(tenants.map((tenant) => [tenant.tenantId, tenant]));
  return [...new Set([...terms.keys(), ...side.keys()])].sort().flatMap((tenantId) => {
    const [ours, theirs] = [terms.get(tenantId), side.get(tenantId)];
    return [...(theirs ? doubles(theirs) : []), ...difference(tenantId, ours, theirs, now)];
  });
}

type Facts = Omit<SubscriptionDifference, 'subject' | 'tenantId'>;
const told = (tenantId: string, facts: Facts): SubscriptionDifference => ({
  subject: 'subscription',
  tenantId,
  ...facts,
});

/** Of two the older counts: what is newer was made by mistake, and has not served long. */
function doubles(theirs: StripeTenant): SubscriptionDifference[] {
  const { tenantId } = theirs;
  const [kept, ...others] = theirs.subscriptions.filter(({ isLive }) => isLive);
  const payer = customerOf(theirs);
  const double = (one: string, other: string, repair: Repair) =>
    told(tenantId, { class: 'duplicate', expected: `${one} alone`, found: `${other} too`, repair });
  return [
    ...others.map(({ id }) =>
      double(
        kept?.id ?? '',
        id,
        // The newer one may be what is to follow.
        kept?.isLeaving
          ? { does: 'nothing', why: `${kept.id} ends with its period; one of them has to go on` }
          : { does: 'cancel', subscriptionId: id },
      ),
    ),
    ...theirs.customers
      .filter((customerId) => customerId !== payer)
      .map((customerId) => {
        const repair: Repair = { does: 'detach customer', customerId, tenantId };
        return double(`customer ${payer}`, `customer ${customerId}`, repair);
      }),
  ];
}

function difference(
  tenantId: string,
  ours: TenantTerms | undefined,
  theirs: StripeTenant | undefined,
  now: Date,
): SubscriptionDifference[] {
  const subscription = theirs?.subscriptions[0];
  if (!ours || ours.state === 'deleted') {
    // One that ends with its period charges no further fee.
    const isTooMuch = subscription?.isLive && !(ours && subscription.isLeaving);
    return isTooMuch ? [extra(tenantId, ours, subscription)] : [];
  }
  if (theirs && subscription) return stateDifference(ours, theirs, subscription, now);
  return ours.state === 'active' ? [missing(ours, theirs, now)] : [];
}

function missing(
  { tenantId, plan, trialEndsAt: end }: TenantTerms,
  theirs: StripeTenant | undefined,
  now: Date,
): SubscriptionDifference {
  const customerId = theirs?.customers[0];
  const trialEndsAt = end && end > now ? end : undefined;
  const repair: Repair = customerId
    ? { does: 'subscribe', tenantId, customerId, plan, trialEndsAt }
    : { does: 'nothing', why: 'it has no customer; createCustomer() needs its e-mail address and name' };
  return told(tenantId, { class: 'missing', expected: `${plan}, active`, found: 'no subscription', repair });
}

/** A tenant that was deleted must not be charged; one that nobody here knows may be a loss of ours. */
function extra(
  tenantId: string,
  ours: TenantTerms | undefined,
  { id, plan, status, created, trialEnd }: StripeSubscription,
): SubscriptionDifference {
  // One that was made after the end is a return that we have not heard of. Stripe's times are whole seconds.
  const endedAt = ours?.effectiveFrom ?? created;
  const isReturn = created.getTime() >= Math.floor(endedAt.getTime() / 1_000) * 1_000;
  // After the end, which must stay: what was used before it is billed already.
  const effectiveFrom = new Date(Math.max(created.getTime(), endedAt.getTime() + (ours ? 1 : 0)));
  const state = stateFor(status) ?? 'active';
  const follow = plan && { tenantId, plan, state, effectiveFrom, trialEndsAt: trialEnd };
  const repair: Repair = !isReturn
    ? { does: 'cancel', subscriptionId: id }
    : follow
      ? { does: 'follow Stripe', subscriptionId: id, terms: follow }
      : foreign(id);
  const expected = ours ? 'deleted' : 'no such tenant';
  return told(tenantId, { class: 'extra', expected, found: `${id}, ${status}`, repair });
}

/** The plan is the one that is charged, for as long as it is. */
function stateDifference(
  ours: TenantTerms,
  theirs: StripeTenant,
  subscription: StripeSubscription,
  now: Date,
): SubscriptionDifference[] {
  const { id, isLive, namedPlan, status, trialEnd, endedAt } = subscription;
  const plan = subscription.plan ?? (isLive ? undefined : ours.plan);
  if (!plan) {
    const facts = { expected: ours.plan, found: 'another price', repair: foreign(id) };
    return [told(ours.tenantId, { class: 'state', ...facts })];
  }
  const state = stateFor(status) ?? ours.state;
  const hasTrial = Math.max(Number(trialEnd ?? 0), Number(ours.trialEndsAt ?? 0)) > now.getTime();
  const isOtherPlan = isLive && (plan !== ours.plan || namedPlan !== plan);
  const isOtherTrial = isLive && hasTrial && trialEnd?.getTime() !== ours.trialEndsAt?.getTime();
  if (state === ours.state && !isOtherPlan && !isOtherTrial) return [];
  const since = isOtherPlan ? planSince(theirs, subscription) : (endedAt ?? now);
  // Never before the terms that it replaces: those would go on to hold.
  const effectiveFrom = new Date(Math.max(since.getTime(), ours.effectiveFrom.getTime()));
  const trialOf = (end: Date | undefined) =>
    isOtherTrial ? `, trial until ${end?.toISOString() ?? 'never'}` : '';
  const name = isLive && namedPlan !== plan ? ` (named ${namedPlan ?? 'nothing'})` : '';
  const expected = `${ours.plan}, ${ours.state}${trialOf(ours.trialEndsAt)}`;
  const found = `${plan}${name}, ${status}${trialOf(trialEnd)}`;
  const terms = { ...ours, plan, state, trialEndsAt: trialEnd, effectiveFrom };
  const repair: Repair = { does: 'follow Stripe', terms, subscriptionId: id };
  return [told(ours.tenantId, { class: 'state', expected, found, repair })];
}

const foreign = (id: string): Repair => ({
  does: 'nothing',
  why: `${id} has a price that is none of the plans`,
});

/**
 * How a tenant stands whose subscription has this status; undefined where ours is right: one that owes is
 * for the dunning, whose suspension stands at the gate while Stripe goes on charging the fee, and an
 * incomplete subscription may yet be paid.
 */
function stateFor(status: string): TenantTerms['state'] | undefined {
  switch (status) {
    case 'active':
    case 'trialing':
      return 'active';
    case 'paused':
      return 'suspended';
    case 'canceled':
    case 'incomplete_expired':
      return 'deleted';
    default:
      return undefined;
  }
}

/** Since when the plan is charged, by its fees. */
function planSince({ lines }: StripeTenant, { id, plan, created }: StripeSubscription): Date {
  // Stripe lists the newest first; of two fees from one instant the newer one holds.
  const fees = lines
    .filter((line) => line.subscriptionId === id && line.kind !== 'usage' && line.amount_cents > 0)
    .reverse()
    .sort((one, other) => one.period.start.getTime() - other.period.start.getTime());
  const before = fees.map((line) => line.plan === plan).lastIndexOf(false);
  return (fees[before + 1] ?? fees[before])?.period.start ?? created;
}
