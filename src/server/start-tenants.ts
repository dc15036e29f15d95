/**
 * All that happens to tenants beside their queries: signup, billing, dunning, another plan, deletion. Each
 * part is started with what it needs of the others. Any number of processes may run it.
 */
import type { StripeBillingManager } from '../billing/billing-manager.js';
import { forgetCustomer } from '../billing/forget-customer.js';
import { termsFollower } from '../billing/webhooks/terms-follower.js';
import { closeAll } from '../close-all.js';
import { consoleNotifier, type Notifier } from '../notifier.js';
import { allOf } from '../service.js';
import type { Services } from '../services/open-services.js';
import { followEnd, followStanding } from '../tenants/follow-standing.js';
import { TenantLifecycle } from '../tenants/lifecycle.js';
import { failureOf } from '../tenants/onboarding/failure-of.js';
import { Onboarding, type OnboardingOptions } from '../tenants/onboarding/onboarding.js';
import type { StepQueueOptions } from '../tenants/onboarding/step-queue.js';
import { TenantProfiles } from '../tenants/onboarding/tenant-profiles.js';
import { StoredApiKeys } from '../tenants/stored-api-keys.js';
import { findBilled, hasEnded } from '../tenants/tenant-billing.js';
import type { TenantApp } from './authenticate.js';
import { inRounds } from './in-rounds.js';
import { type RunningBilling, runBilling, type TenantBillingServices } from './run-billing.js';
import { type LifecycleServices, startLifecycle } from './start-lifecycle.js';
import { type StartedWebhooks, startWebhooks, type WebhookServices } from './start-webhooks.js';
import { addTenantRoutes } from './tenant-routes.js';

export interface StartTenantsOptions
  extends Pick<TenantBillingServices, 'testClock'>,
    Pick<OnboardingOptions, 'trialDays' | 'webhookMs' | 'trace'>,
    Pick<WebhookServices, 'lock'>,
    Pick<LifecycleServices, 'onPurge'> {
  /** @default consoleNotifier */
  readonly notifier?: Notifier;
  /** Of the onboarding's steps and of webhooks. @default each its own */
  readonly queue?: StepQueueOptions;
  /** Between two rounds. @default seconds, a minute or an hour, as each needs it */
  readonly everyMs?: number;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

export interface StartedTenants
  extends Pick<StartedWebhooks, 'queue' | 'limitsOf' | 'dunning' | 'round'>,
    Pick<RunningBilling, 'billing' | 'books'> {
  readonly lifecycle: TenantLifecycle;
  readonly onboarding: Onboarding;
  readonly keys: StoredApiKeys;
  /** What a change of plan, a deletion, a win-back and a purge work with. */
  readonly parts: LifecycleServices & { readonly billing: StripeBillingManager } & {
    readonly issueKey: (tenantId: string) => Promise<string>;
  };
  /** For `createApp({ tenantRoutes })`. */
  readonly tenantRoutes: (app: TenantApp) => void;
  /** Lets what runs come to its end. */
  close(): Promise<void>;
}

/** Between two looks for what the onboarding's queue has lost. */
const RESUME_MS = 60_000;

/**
 * @returns undefined where one of its services is off
 * @example
 * const tenants = await startTenants(services);
 * const app = createApp({ gate, tracker, clickhouse: services.clickhouse, ...tenants, webhooks });
 */
export async function startTenants(
  services: Pick<Services, 'clickhouse' | 'redis' | 'stripe'>,
  { notifier = consoleNotifier, now = () => new Date(), ...options }: StartTenantsOptions = {},
): Promise<StartedTenants | undefined> {
  const all = allOf({ clickhouse: services.clickhouse, redis: services.redis, stripe: services.stripe });
  if (all.mode === 'off') return undefined;
  const { stripe, clickhouse, redis } = all.client;
  // What may fail comes first: nothing is started yet that would have to be closed.
  const { billing, books, round } = await runBilling({ ...all.client, ...options, now });
  const lifecycle = await TenantLifecycle.open(redis, clickhouse, {
    now,
    billedPlan: async (tenantId) => (await findBilled(billing, tenantId)).subscription?.planType,
  });
  const profiles = await TenantProfiles.open(clickhouse);
  const keys = await StoredApiKeys.open(redis, clickhouse);
  const parts = {
    ...{ lifecycle, clickhouse, redis, billing, now },
    followTerms: termsFollower(stripe, { clickhouse, redis, now }),
    revokeKeys: (tenantId: string) => keys.revoke(tenantId),
    issueKey: (tenantId: string) => keys.issue(tenantId),
    forget: [(tenantId: string) => profiles.forget(tenantId), keys.forget, forgetCustomer(stripe, billing)],
  };
  const onboarding = new Onboarding({
    ...{ ...options, ...parts, profiles, keys },
    tellOnce: (message) => webhooks.dunning.tellOnce(message),
  });
  const webhooks = await startWebhooks({
    ...{ ...options, ...parts, stripe, notifier, round },
    onStanding: async (tenantId, standing) => void (await followStanding(lifecycle, tenantId, standing)),
    async onSubscription(change) {
      await onboarding.subscriptionChanged(change);
      if (!hasEnded(change.status)) return;
      const { subscription } = await findBilled(billing, change.tenantId);
      if (!subscription) await followEnd(lifecycle, change.tenantId);
    },
  });
  // Not before there is somebody to tell tenants what its steps have to say.
  onboarding.work();
  // What goes wrong is tried again in the next round, and must not end the process.
  const resuming = inRounds(options.everyMs ?? RESUME_MS, () =>
    onboarding
      .resume()
      .catch((error: unknown) => console.error(`Onboardings wait: ${failureOf(error).reason}`)),
  );
  const rounds = startLifecycle({ ...options, ...parts });
  return {
    ...{ ...webhooks, onboarding, keys, billing, books, lifecycle, parts },
    tenantRoutes: (app) => addTenantRoutes(app, { plan: parts, deletion: parts }),
    close: () => closeAll(rounds.close, webhooks.close, resuming.close, () => onboarding.close()),
  };
}
