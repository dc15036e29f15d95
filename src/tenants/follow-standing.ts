/**
 * The lifecycle after the dunning and after Stripe: who does not pay is suspended, who pays is back, and
 * whose subscription ended is cancelled. Called again and again with how things stand: what is so already
 * changes nothing, and what a change in progress does not allow is left for the next call.
 */
import type { Standing } from './gate-entry.js';
import type { TenantLifecycle } from './lifecycle.js';
import type { LifecycleEntry } from './lifecycle-entry.js';
import type { TransitionRequest } from './next-entry.js';
import { TransitionRefusedError } from './transition-refused-error.js';

/** @example onStanding: (tenantId, standing) => followStanding(lifecycle, tenantId, standing) */
export async function followStanding(
  lifecycle: TenantLifecycle,
  tenantId: string,
  standing: Standing,
): Promise<LifecycleEntry | undefined> {
  const event = standing === 'suspended' ? 'suspend' : 'reactivate';
  return unlessRefused(lifecycle, { tenantId, event, by: 'dunning' });
}

/** @example if (hasEnded(subscription)) await followEnd(lifecycle, 'acme-corp'); */
export async function followEnd(
  lifecycle: TenantLifecycle,
  tenantId: string,
): Promise<LifecycleEntry | undefined> {
  return unlessRefused(lifecycle, { tenantId, event: 'cancel', by: 'stripe' });
}

/** @returns the tenant after it; undefined where the table has nothing to do in its state, or not yet */
async function unlessRefused(
  lifecycle: TenantLifecycle,
  request: TransitionRequest,
): Promise<LifecycleEntry | undefined> {
  try {
    return await lifecycle.transition(request);
  } catch (error) {
    if (error instanceof TransitionRefusedError) return undefined;
    throw error;
  }
}
