/**
 * What the life of tenants needs beside the server: every few seconds the log is moved and overdue
 * transitions are rolled back; every hour deletions are ended and purged. Any number of processes may run it.
 */
import { HOUR_MS } from '../period.js';
import { messageOf } from '../say-failure.js';
import { type DeletionParts, endSubscription, endTenant } from '../tenants/delete-tenant.js';
import { readDeletions, readLastEntries } from '../tenants/lifecycle-log.js';
import { type PurgeParts, type PurgeReport, purgeDue } from '../tenants/purge-tenant.js';
import { inRounds } from './in-rounds.js';

export interface LifecycleServices extends PurgeParts, DeletionParts {
  /** Told of each purge: what went, and what stays. @default prints it */
  readonly onPurge?: (report: PurgeReport) => Promise<unknown> | undefined;
  /** Between two rounds. @default 5_000 for the log, and an hour for purges */
  readonly everyMs?: number;
}

/** @example const { close } = startLifecycle({ lifecycle, redis, clickhouse, billing, … }); */
export function startLifecycle(services: LifecycleServices): { close(): Promise<void> } {
  const { lifecycle, everyMs } = services;
  const seconds = inRounds(everyMs ?? 5_000, async () => {
    await lifecycle.moveLog().catch(say);
    await lifecycle.expireStale().catch(say);
  });
  const hours = inRounds(everyMs ?? HOUR_MS, () => purgeRound(services).catch(say));
  return {
    async close() {
      await Promise.all([seconds.close(), hours.close()]);
    },
  };
}

async function purgeRound(services: LifecycleServices): Promise<void> {
  const { onPurge = print } = services;
  // What a kill, or a Stripe that was away, left of a deletion.
  for (const { tenantId, state } of await readDeletions(services.clickhouse))
    if (state === 'deleted') await endTenant(services, tenantId).catch(say);
  // And of a win-back that came to nothing.
  for (const { tenantId, state, from } of await readLastEntries(services.clickhouse))
    if (state === 'cancelled' && from === 'returning')
      await endSubscription(services, tenantId, state).catch(say);
  for (const report of await purgeDue(services)) await onPurge(report);
}

function print({ tenantId, isComplete, lines }: PurgeReport): undefined {
  console.log(`${tenantId} was purged${isComplete ? '' : ' in part'}`);
  for (const { store, what, fate, why } of lines) console.log(`  ${store}: ${what} ${fate} (${why})`);
}

const say = (error: unknown) => console.error(`Tenants: ${messageOf(error)}; tried again in the next round`);
