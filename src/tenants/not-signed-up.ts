/** Tenants that have terms, of an import say, and never signed up here: the lifecycle does not know them. */
import type { ClickHouseClient } from '@clickhouse/client';
import { termsAt } from '../metering/tenants.js';
import type { LifecycleEvent } from './lifecycle-table.js';
import { TransitionRefusedError } from './transition-refused-error.js';

/** Why its plan and its end are not for it to change; what it is told of itself says the same. */
export const NOT_SIGNED_UP = 'it never signed up here, and its terms are kept by the operator';

/** @throws TransitionRefusedError for such a tenant, with its state by the terms */
export async function refuseNotSignedUp(
  clickhouse: ClickHouseClient,
  { tenantId, event, now }: { tenantId: string; event: LifecycleEvent; now: Date },
): Promise<void> {
  const terms = await termsAt(clickhouse, { tenantId, instant: now });
  if (!terms) return;
  const { state } = terms;
  const refusal = { tenantId, event, state, version: 0, changed: false };
  throw new TransitionRefusedError({ ...refusal, why: NOT_SIGNED_UP });
}
