/**
 * The onboarding beside the server: what answers signups, and the workers that do their steps. Any number
 * of processes may run it.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { termsFollower } from '../billing/webhooks/terms-follower.js';
import { DunningLedger } from '../dunning/dunning-ledger.js';
import { DunningManager } from '../dunning/dunning-manager.js';
import type { Notifier } from '../notifier.js';
import type { RedisClient } from '../redis-client.js';
import type { StripeClient } from '../stripe-client.js';
import { TenantLifecycle } from '../tenants/lifecycle.js';
import { failureOf } from '../tenants/onboarding/failure-of.js';
import { Onboarding, type OnboardingOptions } from '../tenants/onboarding/onboarding.js';
import { TenantProfiles } from '../tenants/onboarding/tenant-profiles.js';
import { StoredApiKeys } from '../tenants/stored-api-keys.js';
import type { FollowTerms } from '../tenants/tenant-billing.js';
import { inRounds } from './in-rounds.js';

export interface StartOnboardingServices
  extends Pick<OnboardingOptions, 'billing' | 'trialDays' | 'webhookMs' | 'trace' | 'queue' | 'now'> {
  readonly redis: RedisClient;
  /** With its tables. */
  readonly clickhouse: ClickHouseClient;
  readonly stripe: StripeClient;
  readonly notifier: Notifier;
  /** @default one of its own */
  readonly lifecycle?: TenantLifecycle;
  /** @default one of its own */
  readonly followTerms?: FollowTerms;
  /** Between two looks for what the queue has lost. @default 60_000 */
  readonly everyMs?: number;
}

export interface StartedOnboarding {
  /** For `createApp({ onboarding })` and `startWebhooks({ onboarding })`. */
  readonly onboarding: Onboarding;
  /** For `createApp({ keys })`. */
  readonly keys: StoredApiKeys;
  readonly profiles: TenantProfiles;
  readonly lifecycle: TenantLifecycle;
  /** Lets running steps and a running round end. */
  close(): Promise<void>;
}

/**
 * @example
 * const { onboarding, keys, close } = await startOnboarding({ redis, clickhouse, stripe, billing, notifier });
 * const { queue } = await startWebhooks({ …, onboarding });
 * const app = createApp({ …, keys, onboarding });
 */
export async function startOnboarding(services: StartOnboardingServices): Promise<StartedOnboarding> {
  const { redis, clickhouse, stripe, everyMs = 60_000, now = () => new Date() } = services;
  const lifecycle = services.lifecycle ?? (await TenantLifecycle.open(redis, clickhouse, { now }));
  const profiles = await TenantProfiles.open(clickhouse);
  const keys = await StoredApiKeys.open(redis, clickhouse);
  const ledger = await DunningLedger.open(clickhouse);
  const dunning = new DunningManager(stripe, { ...services, ledger });
  const onboarding = new Onboarding({
    ...services,
    lifecycle,
    profiles,
    keys,
    tellOnce: (message) => dunning.tellOnce(message),
    followTerms: services.followTerms ?? termsFollower(stripe, { clickhouse, redis, now }),
  });
  onboarding.work();
  // What goes wrong is tried again in the next round, and must not end the process.
  const rounds = inRounds(everyMs, () =>
    onboarding
      .resume()
      .catch((error: unknown) => console.error(`Onboardings wait: ${failureOf(error).reason}`)),
  );
  return {
    onboarding,
    keys,
    profiles,
    lifecycle,
    async close() {
      await rounds.close();
      await onboarding.close();
    },
  };
}
