/**
 * The steps from a signup to an active tenant, in their order. Each may be run again, from its beginning
 * or after its end, and what it does is there once.
 */
import type { OnceNotice } from '../../notifier.js';
import { TRIAL_DAYS } from '../../plans.js';
import type { TenantLifecycle } from '../lifecycle.js';
import type { LifecycleEntry } from '../lifecycle-entry.js';
import type { LifecycleState } from '../lifecycle-table.js';
import type { StoredApiKeys } from '../stored-api-keys.js';
import { type FollowTerms, findBilled, type TenantBilling } from '../tenant-billing.js';
import type { TenantProfile } from './tenant-profiles.js';

/** `payment` waits for Stripe's webhook; the steps after it are the provisioning. */
export const STEPS = [
  'customer',
  'card',
  'subscription',
  'payment',
  'limits',
  'welcome',
  'key',
  'active',
] as const;
export type Step = (typeof STEPS)[number];

/** What the steps work with. */
export interface OnboardingServices {
  readonly lifecycle: TenantLifecycle;
  readonly billing: TenantBilling;
  readonly keys: Pick<StoredApiKeys, 'enable'>;
  readonly followTerms: FollowTerms;
  /** Tells a tenant something once for good: the DunningManager's. */
  readonly tellOnce: (notice: OnceNotice) => Promise<unknown>;
  /** @default TRIAL_DAYS */
  readonly trialDays?: number;
}

/** A step that cannot succeed, however often it is tried. */
export class StepRefusedError extends Error {
  override readonly name = 'StepRefusedError';

  /** @param code what stands in the log, e.g. `subscription_incomplete` */
  constructor(readonly code: string) {
    super(`Cannot go on with the onboarding: ${code}`);
  }
}

/** Whether Stripe lets a tenant with such a subscription in. */
export const isPaid = (status: string) => status === 'active' || status === 'trialing';

/** Whether a step is to be done in a state: what comes late, after somebody else did it, is not. */
export function isDue(step: Step, state: LifecycleState): boolean {
  if (state === 'provisioning') return true;
  return state === 'pending_payment' && STEPS.indexOf(step) <= STEPS.indexOf('payment');
}

/** The work of each step. */
export const WORK: Readonly<
  Record<
    Step,
    (services: OnboardingServices, tenant: TenantProfile, entry: LifecycleEntry) => Promise<unknown>
  >
> = {
  customer: (services, tenant) => customerOf(services, tenant),

  async card(services, tenant) {
    const { billing } = services;
    const customerId = await customerOf(services, tenant);
    // The first card is there once. One that replaces it may be attached again: Stripe has it once all the same.
    if (tenant.cardNumber === 1 && (await billing.hasCard(customerId))) return;
    await billing.attachPaymentMethod({ customerId, paymentMethodId: tenant.paymentMethod });
  },

  async subscription(services, tenant) {
    // Said each time: one that was rolled back gave its tenant no trial.
    const { billing, lifecycle, trialDays = TRIAL_DAYS } = services;
    const { tenantId, plan: planType } = tenant;
    const customerId = await customerOf(services, tenant);
    const { status } = await billing.createSubscription({ customerId, planType, tenantId, trialDays });
    // A deletion in between found none that it could end.
    if ((await lifecycle.read(tenantId))?.state === 'deleted') return rollBack(services, tenantId);
    if (!isPaid(status)) throw new StepRefusedError(`subscription_${status}`);
  },

  async payment({ lifecycle, billing }, { tenantId }, { state }) {
    const { subscription } = await findBilled(billing, tenantId);
    if (!subscription || !isPaid(subscription.status)) throw new StepRefusedError('not_paid');
    if (state === 'pending_payment') await lifecycle.transition({ tenantId, event: 'pay', by: 'stripe' });
  },

  limits: (services, tenant) => letIn(services, tenant),

  welcome: ({ tellOnce }, { tenantId, plan }) =>
    tellOnce({
      tenantId,
      about: 'signup',
      topic: 'welcome',
      text: `Welcome! Your plan ${plan} is ready: ask your first question at POST /query`,
    }),

  key: ({ keys }, { tenantId }) => keys.enable(tenantId),

  async active(services, tenant, { version }) {
    const { tenantId } = tenant;
    await letIn(services, tenant);
    await services.lifecycle.transition({ tenantId, event: 'complete', version, by: 'onboarding' });
  },
};

/** Takes back what would cost the tenant something, and the gate with it; its customer stays, for the next try. */
export async function rollBack(services: OnboardingServices, tenantId: string): Promise<void> {
  const { billing, followTerms } = services;
  const customerId = await billing.findCustomer(tenantId);
  const subscription = customerId && (await billing.findSubscription(customerId));
  if (!subscription) return;
  // One that has ended stays as it is.
  await billing.cancelSubscription({ subscriptionId: subscription.subscriptionId, atPeriodEnd: false });
  await followTerms({ tenantId, customerId });
}

const customerOf = ({ billing }: OnboardingServices, { tenantId, email, company }: TenantProfile) =>
  billing.getOrCreateCustomer({ tenantId, email, name: company });

async function letIn(services: OnboardingServices, tenant: TenantProfile): Promise<void> {
  const customerId = await customerOf(services, tenant);
  const { isActive } = await services.followTerms({ tenantId: tenant.tenantId, customerId });
  if (!isActive) throw new StepRefusedError('not_paid');
}
