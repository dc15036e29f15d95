/** Asks for one change of one tenant many times at once, on a tenant that nobody else has. */
import { randomBytes } from 'node:crypto';
import { readLifecycleLog } from '../tenants/lifecycle-log.js';
import type { AskableEvent } from '../tenants/next-entry.js';
import { TransitionRefusedError } from '../tenants/transition-refused-error.js';
import type { Platform } from './platform.js';

/** So many that all have read the state before the first has changed it. */
export const AT_ONCE = 20;

/**
 * An active tenant is suspended by many at the same instant.
 *
 * @returns what is wrong: not one winner, a refusal that tells something else, a log that differs
 * @example (await raceTransitions(platform)).length // 0
 */
export async function raceTransitions({
  lifecycle,
  clickhouse,
}: Pick<Platform, 'lifecycle' | 'clickhouse'>): Promise<string[]> {
  const tenant = { tenantId: `readiness-${randomBytes(6).toString('hex')}`, by: 'readiness' };
  const ask = (event: AskableEvent) => lifecycle.transition({ ...tenant, event });
  await lifecycle.transition({ ...tenant, event: 'sign_up', plan: 'starter' });
  const { version } = await ask('pay');
  await lifecycle.transition({ ...tenant, event: 'complete', version });

  const asked = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => ask('suspend')));
  const problems: string[] = [];
  const winners = asked.filter(({ status }) => status === 'fulfilled').length;
  if (winners !== 1) problems.push(`of ${AT_ONCE} changes at once ${winners} won`);
  for (const one of asked) {
    if (one.status === 'fulfilled') continue;
    if (!(one.reason instanceof TransitionRefusedError)) throw one.reason;
    const { state, version: told } = one.reason;
    if (state !== 'suspended' || told !== version + 2)
      problems.push(`a change was refused as if the tenant were ${state} at version ${told}`);
  }
  const log = await readLifecycleLog(clickhouse, tenant.tenantId);
  const events = log.map(({ event }) => event).join(', ');
  const wanted = 'sign_up, pay, complete, suspend';
  if (events !== wanted) problems.push(`the log says ${events || 'nothing'}, not ${wanted}`);
  return [...new Set(problems)];
}
