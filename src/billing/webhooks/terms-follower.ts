/** Brings a tenant's terms to what Stripe has, for whoever cannot wait for the webhook. */
import type { ClickHouseClient } from '@clickhouse/client';
import { termsAt } from '../../metering/tenants.js';
import type { RedisClient } from '../../redis-client.js';
import type { StripeClient } from '../../stripe-client.js';
import type { FollowTerms } from '../../tenants/tenant-billing.js';
import { tenantLock } from '../../tenants/tenant-lock.js';
import { sdkOf } from '../sdk.js';
import { recordTerms } from './record-terms.js';

/**
 * @example
 * const followTerms = termsFollower(stripe, { clickhouse, redis, now: () => new Date() });
 * (await followTerms({ tenantId: 'acme-corp', customerId })).isActive // true
 */
export function termsFollower(
  client: StripeClient,
  { clickhouse, redis, now }: { clickhouse: ClickHouseClient; redis: RedisClient; now: () => Date },
): FollowTerms {
  const lock = tenantLock(redis);
  return ({ tenantId, customerId }) =>
    lock(tenantId, async () => {
      const instant = now();
      await recordTerms({ stripe: sdkOf(client), clickhouse, redis }, { tenantId, customerId, now: instant });
      return { isActive: (await termsAt(clickhouse, { tenantId, instant }))?.state === 'active' };
    });
}
