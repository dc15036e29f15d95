/**
 * Deletion, second part: the purge. After thirty days the personal data of a deleted tenant goes from
 * Redis, ClickHouse and Stripe. What the invoices rest on stays, under the tenant's id alone. The state is
 * `purging` until all is done, so that whoever is killed is followed by somebody who goes on; each
 * step may be done again.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { dayOf } from '../period.js';
import type { RedisClient } from '../redis-client.js';
import { sayFailure } from '../say-failure.js';
import { deleteRows } from '../tenant-rows.js';
import { SOFT_MS } from './delete-tenant.js';
import { forgetKeys } from './forget-keys.js';
import type { TenantLifecycle } from './lifecycle.js';
import type { LifecycleEntry } from './lifecycle-entry.js';
import { forgetReasons, readDeletions } from './lifecycle-log.js';

/** One thing that went, or stays. */
export interface PurgeLine {
  readonly store: 'Redis' | 'ClickHouse' | 'Stripe';
  readonly what: string;
  readonly fate: 'removed' | 'stays';
  readonly why: string;
}

export interface PurgeReport {
  readonly tenantId: string;
  /** False where a store is not done yet: asked for again, the purge goes on. */
  readonly isComplete: boolean;
  readonly lines: readonly PurgeLine[];
}

/** Takes a tenant out of one store. Done again, it finds nothing and says the same. */
export type Forget = (
  tenantId: string,
) => Promise<{ readonly lines: readonly PurgeLine[]; readonly isComplete?: boolean }>;

export interface PurgeParts {
  readonly lifecycle: TenantLifecycle;
  readonly redis: RedisClient;
  /** With its tables, and the dunning's. */
  readonly clickhouse: ClickHouseClient;
  /** Other stores, in this order: the profile, Stripe. */
  readonly forget: readonly Forget[];
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

/**
 * Purges a tenant that was deleted thirty days ago, or whose purge was begun.
 *
 * @throws RangeError before that time.
 * @throws TransitionRefusedError with the current state, for a tenant that is not deleted.
 * @throws what a store says; the purge goes on when it is asked for again
 * @example (await purgeTenant(parts, 'acme-corp')).lines.filter(({ fate }) => fate === 'stays')
 */
export async function purgeTenant(parts: PurgeParts, tenantId: string): Promise<PurgeReport> {
  const { lifecycle } = parts;
  const by = 'purge';
  let tenant = await lifecycle.read(tenantId);
  if (tenant?.state !== 'purging' && tenant?.state !== 'purged') {
    if (tenant?.state === 'deleted') await checkDue(parts, tenant);
    tenant = await lifecycle.transition({ tenantId, event: 'purge', by, version: tenant?.version });
  }
  const own: Forget[] = [(id) => inRedis(parts, id), (id) => inClickHouse(parts, id)];
  const lines: PurgeLine[] = [];
  let isComplete = true;
  for (const forget of [...own, ...parts.forget]) {
    const done = await forget(tenantId);
    lines.push(...done.lines);
    isComplete &&= done.isComplete ?? true;
  }
  if (isComplete && tenant.state === 'purging') {
    const { version } = tenant;
    await lifecycle.transition({ tenantId, event: 'complete', version, by });
  }
  return { tenantId, isComplete, lines };
}

/**
 * Purges all that is due, and goes on with what was begun. One that fails is told of and does not stop the
 * others.
 */
export async function purgeDue(parts: PurgeParts): Promise<PurgeReport[]> {
  const { lifecycle, clickhouse, now = () => new Date() } = parts;
  await lifecycle.moveLog();
  const reports: PurgeReport[] = [];
  for (const { tenantId, state, deletedAt } of await readDeletions(clickhouse)) {
    if (state === 'deleted' && deletedAt.getTime() + SOFT_MS > now().getTime()) continue;
    const report = await purgeTenant(parts, tenantId).catch(sayFailure(`The purge of ${tenantId} waits`));
    if (report) reports.push(report);
  }
  return reports;
}

/** By its last request: a win-back that failed does not begin the thirty days anew. */
async function checkDue(
  { lifecycle, clickhouse, now = () => new Date() }: PurgeParts,
  { tenantId, at }: LifecycleEntry,
): Promise<void> {
  await lifecycle.moveLog();
  const [deletion] = await readDeletions(clickhouse, tenantId);
  const dueAt = new Date((deletion?.deletedAt ?? at).getTime() + SOFT_MS);
  if (dueAt > now()) throw new RangeError(`Cannot purge ${tenantId} before ${dayOf(dueAt)}`);
}

async function inRedis({ redis }: PurgeParts, tenantId: string): Promise<{ lines: PurgeLine[] }> {
  await forgetKeys(redis, tenantId);
  const line = lineOf('Redis');
  return {
    lines: [
      line('plan, standing and counts at the gate', 'removed', 'nobody is left to be let in'),
      line('state in the lifecycle', 'stays', 'the id is not given out again'),
    ],
  };
}

async function inClickHouse(
  { clickhouse, lifecycle }: PurgeParts,
  tenantId: string,
): Promise<{ lines: PurgeLine[] }> {
  await lifecycle.moveLog();
  await forgetReasons(clickhouse, tenantId);
  await deleteRows(clickhouse, 'tenant_ledger', [tenantId]);
  const line = lineOf('ClickHouse');
  return {
    lines: [
      line('messages of the dunning', 'removed', 'letters to the tenant'),
      line('reasons in the lifecycle log', 'removed', 'free text'),
      line('lifecycle log', 'stays', 'which state from when, by whom: the audit; no person in it'),
      line('issued invoices and their hashes', 'stays', 'must be kept; amounts and the id alone'),
      line('usage events and rollups', 'stays', 'what the invoices were made of; counts and the id alone'),
      line('terms and usage reports', 'stays', 'which plan was billed from when, and what Stripe was told'),
    ],
  };
}

const lineOf =
  (store: PurgeLine['store']) =>
  (what: string, fate: PurgeLine['fate'], why: string): PurgeLine => ({ store, what, fate, why });
