/**
 * All that happens to tenants beside their queries: signup, billing, dunning, another plan, deletion. Each
 * part is started with what it needs of the others. Any number of processes may run it.
 */
import type { StripeBillingManager } from '../billing/billing-manager.js';
import { forgetCustomer } from '../billing/forget-customer.js';
import { termsFollower } from '../billing/webhooks/terms-follower.js';
import { consoleNotifier, type Notifier } from '../notifier.js';
import { allOf } from '../service.js';
import type { Services } from '../services/open-services.js';
import { followEnd, followStanding } from '../tenants/follow-standing.js';
import { TenantLifecycle } from '../tenants/lifecycle.js';
import { findBilled, hasEnded } from '../tenants/tenant-billing.js';
import type { TenantApp } from './authenticate.js';
import { type RunningBilling, runBilling, type TenantBillingServices } from './run-billing.js';
import { type LifecycleServices, startLifecycle } from './start-lifecycle.js';
import { type StartedOnboarding, type StartOnboardingServices, startOnboarding } from './start-onboarding.js';
import { type StartedWebhooks, startWebhooks } from './start-webhooks.js';
import { addTenantRoutes } from './tenant-routes.js';

export interface StartTenantsOptions
  extends Pick<TenantBillingServices, 'testClock'>,
    Pick<StartOnboardingServices, 'trialDays' | 'webhookMs'>,
    Pick<LifecycleServices, 'onPurge'> {
  /** @default consoleNotifier */
  readonly notifier?: Notifier;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

export interface StartedTenants
  extends Pick<StartedWebhooks, 'queue' | 'limitsOf' | 'dunning' | 'round'>,
    Pick<StartedOnboarding, 'onboarding' | 'keys'>,
    Pick<RunningBilling, 'billing' | 'books'> {
  readonly lifecycle: TenantLifecycle;
  /** What a change of plan, a deletion, a win-back and a purge work with. */
  readonly parts: LifecycleServices & { readonly billing: StripeBillingManager } & {
    readonly issueKey: (tenantId: string) => Promise<string>;
  };
  /** For `createApp({ tenantRoutes })`. */
  readonly tenantRoutes: (app: TenantApp) => void;
  /** Lets what runs come to its end. */
  close(): Promise<void>;
}

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
  const { billing, books, round } = await runBilling({ ...all.client, ...options, now });
  const lifecycle = await TenantLifecycle.open(redis, clickhouse, { now });
  const followTerms = termsFollower(stripe, { clickhouse, redis, now });
  const common = { ...all.client, billing, notifier, now };
  const started = await startOnboarding({ ...common, ...options, lifecycle, followTerms });
  const { onboarding, keys, profiles } = started;
  const webhooks = await startWebhooks({
    ...common,
    round,
    onStanding: async (tenantId, standing) => void (await followStanding(lifecycle, tenantId, standing)),
    async onSubscription(change) {
      await onboarding.subscriptionChanged(change);
      if (!hasEnded(change.status)) return;
      const { subscription } = await findBilled(billing, change.tenantId);
      if (!subscription) await followEnd(lifecycle, change.tenantId);
    },
  });
  const parts = {
    ...{ lifecycle, clickhouse, redis, billing, followTerms, now },
    revokeKeys: (tenantId: string) => keys.revoke(tenantId),
    issueKey: (tenantId: string) => keys.issue(tenantId),
    forget: [(tenantId: string) => profiles.forget(tenantId), keys.forget, forgetCustomer(stripe, billing)],
  };
  const { onPurge } = options;
  const rounds = startLifecycle({ ...parts, ...(onPurge && { onPurge }) });
  return {
    ...{ ...webhooks, onboarding, keys, billing, books, lifecycle, parts },
    tenantRoutes: (app) => addTenantRoutes(app, { plan: parts, deletion: parts }),
    async close() {
      await rounds.close();
      await webhooks.close();
      await started.close();
    },
  };
}
