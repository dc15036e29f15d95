/**
 * Deletion, first part: softly. From the transition on nobody can use the tenant; its keys go, and its
 * subscription ends with a last invoice. For thirty days it can come back with its data (win-back.ts),
 * then its personal data is purged (purge-tenant.ts).
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { DAY_MS } from '../period.js';
import type { RedisClient } from '../redis-client.js';
import { sayFailure } from '../say-failure.js';
import { setPlan } from './gate-entry.js';
import type { TenantLifecycle } from './lifecycle.js';
import type { LifecycleEntry } from './lifecycle-entry.js';
import { readDeletions } from './lifecycle-log.js';
import { refuseNotSignedUp } from './not-signed-up.js';
import type { FollowTerms, TenantBilling } from './tenant-billing.js';

/** How long a deleted tenant can come back. */
export const SOFT_MS = 30 * DAY_MS;

export interface DeletionParts {
  readonly lifecycle: TenantLifecycle;
  readonly clickhouse: ClickHouseClient;
  readonly redis: RedisClient;
  readonly billing: Pick<TenantBilling, 'findCustomer' | 'findSubscription' | 'cancelSubscription'>;
  readonly followTerms: FollowTerms;
  /** After it none of the tenant's keys opens anything. */
  readonly revokeKeys: (tenantId: string) => Promise<unknown>;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/**
 * Deletes a tenant softly; asked again, it says the same. What cannot be ended at once, since Stripe is away
 * say, {@link endTenant} ends in the next round.
 *
 * @returns the tenant, and from when its personal data may be purged
 * @throws TransitionRefusedError with the current state, where that does not allow it.
 * @example (await deleteTenant(parts, { tenantId: 'acme-corp' })).purgeAt
 */
export async function deleteTenant(
  parts: DeletionParts,
  { tenantId, by = 'tenant' }: { tenantId: string; by?: string },
): Promise<{ tenant: LifecycleEntry; purgeAt: Date }> {
  const { lifecycle, clickhouse, now = () => new Date() } = parts;
  let tenant = await lifecycle.read(tenantId);
  if (!tenant) await refuseNotSignedUp(clickhouse, { tenantId, event: 'delete', now: now() });
  // First of all: whoever goes on after a kill finds it by its state.
  if (tenant?.state !== 'deleted') tenant = await lifecycle.transition({ tenantId, event: 'delete', by });
  await endTenant(parts, tenantId).catch(sayFailure(`The end of ${tenantId} waits`));
  // A win-back that failed left it deleted since before.
  const since =
    tenant.event === 'delete' ? tenant.at : (await readDeletions(clickhouse, tenantId))[0]?.deletedAt;
  return { tenant, purgeAt: new Date((since ?? tenant.at).getTime() + SOFT_MS) };
}

/** Takes from a deleted tenant what it must not have any more; what is gone already is left alone. */
export async function endTenant(parts: DeletionParts, tenantId: string): Promise<void> {
  if ((await parts.lifecycle.read(tenantId))?.state !== 'deleted') return;
  await parts.revokeKeys(tenantId);
  await setPlan(parts.redis, tenantId, 'none');
  await endSubscription(parts, tenantId, 'deleted');
}

/** Ends the subscription of a tenant that is gone, with a last invoice. */
export async function endSubscription(
  { lifecycle, billing, followTerms }: DeletionParts,
  tenantId: string,
  gone: 'deleted' | 'cancelled',
): Promise<void> {
  const customerId = await billing.findCustomer(tenantId);
  // Also one that has ended: what a kill left of its end is done then.
  const subscription = customerId && (await billing.findSubscription(customerId));
  if (!subscription) return;
  // Looked at after the subscription was found: it may be that of a win-back which has just begun.
  if ((await lifecycle.read(tenantId))?.state !== gone) return;
  await billing.cancelSubscription({ subscriptionId: subscription.subscriptionId, atPeriodEnd: false });
  await followTerms({ tenantId, customerId });
}
