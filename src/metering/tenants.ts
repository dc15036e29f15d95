/** Which plan and state a tenant had from when: the rows of `tenant_quotas`. */
import type { ClickHouseClient } from '@clickhouse/client';
import { z } from 'zod';
import { parseInput, planName, tenantId } from '../input.js';
import { dayOf, type Period } from '../period.js';
import type { PlanName } from '../plans.js';

const TENANT_STATES = ['active', 'suspended', 'deleted'] as const;
export type TenantState = (typeof TENANT_STATES)[number];

/** A tenant from one instant on, until its next row. */
export interface TenantTerms {
  readonly tenantId: string;
  readonly effectiveFrom: Date;
  readonly plan: PlanName;
  readonly state: TenantState;
  /** End of its trial, if it has or had one. */
  readonly trialEndsAt?: Date | undefined;
}

const schema: z.ZodType<TenantTerms> = z.strictObject({
  tenantId,
  effectiveFrom: z.date('must be a valid Date'),
  plan: planName,
  state: z.enum(TENANT_STATES, `must be one of ${TENANT_STATES.join(', ')}`),
  trialEndsAt: z.date('must be a valid Date').optional(),
});

/**
 * Records new tenants or changes of known ones.
 *
 * @throws InvalidInputError for the first malformed field; nothing is written then.
 * @example
 * const effectiveFrom = new Date('2025-11-01T00:00:00Z');
 * await recordTenants(clickhouse, [{ tenantId: 'new-ltd', plan: 'pro', state: 'active', effectiveFrom }]);
 */
export async function recordTenants(
  clickhouse: ClickHouseClient,
  terms: readonly TenantTerms[],
): Promise<void> {
  const rows = terms
    .map((row) => parseInput(schema, 'tenant', row))
    .map((row) => ({
      tenant_id: row.tenantId,
      effective_from: row.effectiveFrom.getTime(),
      plan: row.plan,
      state: row.state,
      trial_ends_at: row.trialEndsAt?.getTime() ?? null,
    }));
  if (rows.length > 0)
    await clickhouse.insert({ table: 'tenant_quotas', values: rows, format: 'JSONEachRow' });
}

/**
 * Every tenant's terms at an instant.
 *
 * @throws RangeError for an invalid date.
 * @example const active = (await tenantsAt(clickhouse, now)).filter((tenant) => isBilled(tenant, now))
 */
export async function tenantsAt(clickhouse: ClickHouseClient, instant: Date): Promise<TenantTerms[]> {
  dayOf(instant);
  const rows = await readTerms(clickhouse, {
    where: `effective_from <= fromUnixTimestamp64Milli({instant:Int64}, 'UTC')`,
    limit: 'LIMIT 1 BY tenant_id',
    params: { instant: instant.getTime() },
  });
  return rows.sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
}

/** One tenant's terms at an instant; undefined for one that had none by then. */
export async function termsAt(
  clickhouse: ClickHouseClient,
  { tenantId, instant }: { tenantId: string; instant: Date },
): Promise<TenantTerms | undefined> {
  const period = { start: instant, end: new Date(instant.getTime() + 1) };
  return (await tenantTermsIn(clickhouse, { tenantId, period })).at(-1);
}

/** One tenant's terms over a period, in order; the first may have begun before it. */
export async function tenantTermsIn(
  clickhouse: ClickHouseClient,
  { tenantId: id, period }: { tenantId: string; period: Period },
): Promise<TenantTerms[]> {
  parseInput(tenantId, 'tenant id', id);
  const rows = await readTerms(clickhouse, {
    where: `tenant_id = {id:String} AND effective_from < fromUnixTimestamp64Milli({end:Int64}, 'UTC')`,
    limit: '',
    params: { id, end: period.end.getTime() },
  });
  const latestFirst = rows.findIndex((terms) => terms.effectiveFrom <= period.start);
  return (latestFirst === -1 ? rows : rows.slice(0, latestFirst + 1)).reverse();
}

/**
 * Whether a tenant pays at an instant: active and not in a trial.
 *
 * @example
 * const effectiveFrom = new Date('2025-11-01T00:00:00Z');
 * isBilled({ tenantId: 'acme-corp', plan: 'starter', state: 'active', effectiveFrom }, now) // true
 */
export function isBilled(terms: TenantTerms, instant: Date): boolean {
  return terms.state === 'active' && !(terms.trialEndsAt && terms.trialEndsAt > instant);
}

interface TermsRow {
  tenant_id: string;
  from_ms: number;
  plan: PlanName;
  state: TenantState;
  trial_ends_ms: number | null;
}

/** Latest row first. */
async function readTerms(
  clickhouse: ClickHouseClient,
  { where, limit, params }: { where: string; limit: string; params: Record<string, unknown> },
): Promise<TenantTerms[]> {
  const result = await clickhouse.query({
    query: `
      SELECT
        tenant_id,
        toUnixTimestamp64Milli(effective_from) AS from_ms,
        plan,
        state,
        toUnixTimestamp64Milli(trial_ends_at) AS trial_ends_ms
      FROM tenant_quotas FINAL
      WHERE ${where}
      ORDER BY effective_from DESC
      ${limit}`,
    query_params: params,
    format: 'JSONEachRow',
  });
  return (await result.json<TermsRow>()).map((row) => ({
    tenantId: row.tenant_id,
    effectiveFrom: new Date(row.from_ms),
    plan: row.plan,
    state: row.state,
    trialEndsAt: row.trial_ends_ms === null ? undefined : new Date(row.trial_ends_ms),
  }));
}
