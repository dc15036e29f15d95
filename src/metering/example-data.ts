/** The course's example, `example_data.json`: three customers, their plans, a month's usage. */
import { readFileSync } from 'node:fs';
import type { ClickHouseClient } from '@clickhouse/client';
import { z } from 'zod';
import { parseInput, planName, tenantId } from '../input.js';
import { parseUsd, toCents } from '../money.js';
import { parseMonth } from '../period.js';
import { PLANS, type Plan, type PlanName } from '../plans.js';
import { generateEvents } from './generate-events.js';
import { recordTenants, tenantsAt } from './tenants.js';

const schema = z.object({
  customers: z.array(z.object({ tenant_id: tenantId, name: z.string(), email: z.string(), plan: planName })),
  usage_data: z.array(z.object({ tenant_id: tenantId, month: z.string(), query_count: z.int().min(0) })),
  pricing_plans: z.record(
    planName,
    z.object({
      base_usd: z.string(),
      included_queries: z.int().min(0),
      overage_usd_per_query: z.string(),
    }),
  ),
  dunning_scenarios: z.array(
    z.object({
      tenant_id: tenantId,
      failure_count: z.int().min(1),
      action: z.string(),
      description: z.string(),
    }),
  ),
});

/** What the file holds. */
export type ExampleData = z.infer<typeof schema>;

/**
 * Reads the course's example: customers, a month's usage, plans (dollars as decimal text), dunning scenarios.
 *
 * @throws InvalidInputError naming the field that is not as it should be.
 * @example const { customers } = readExampleData();
 */
export function readExampleData(file = 'example_data.json'): ExampleData {
  return parseInput(schema, 'example data', JSON.parse(readFileSync(file, 'utf8')));
}

/**
 * The example's plans, as the catalogue takes them.
 *
 * @example await ensureCatalogue(stripe, { plans: examplePlans(readExampleData()) });
 */
export function examplePlans({ pricing_plans: terms }: ExampleData): Record<PlanName, Plan> {
  const plans = Object.entries(terms).map(([name, { base_usd, included_queries, overage_usd_per_query }]) => [
    name,
    {
      ...PLANS[name as PlanName],
      baseCents: toCents(parseUsd(base_usd)),
      includedQueries: included_queries,
      overagePerQuery: parseUsd(overage_usd_per_query),
    },
  ]);
  return Object.fromEntries(plans);
}

/**
 * Stores the example's usage as events, spread over its month, and the customers as tenants from its
 * first day on; who is a tenant already is left alone.
 *
 * @returns the number of events in the example
 * @example await loadExampleUsage(clickhouse, readExampleData()) // 983_500
 */
export async function loadExampleUsage(
  clickhouse: ClickHouseClient,
  { customers, usage_data: usage }: ExampleData,
): Promise<number> {
  const known = new Set((await tenantsAt(clickhouse, new Date())).map(({ tenantId }) => tenantId));
  const plans = new Map(customers.map(({ tenant_id, plan }) => [tenant_id, plan]));
  for (const { tenant_id, month, query_count } of usage) {
    if (known.has(tenant_id)) continue;
    const span = parseMonth(month);
    const effectiveFrom = span.start;
    const terms = {
      tenantId: tenant_id,
      plan: plans.get(tenant_id) ?? 'starter',
      state: 'active',
      effectiveFrom,
    } as const;
    await generateEvents(clickhouse, [
      {
        tenantId: tenant_id,
        terms: [terms],
        queries: query_count,
        tokensInput: query_count * 180,
        tokensOutput: query_count * 45,
        model: 'gpt-4o-mini',
        span,
      },
    ]);
    await recordTenants(clickhouse, [terms]);
  }
  return usage.reduce((sum, { query_count }) => sum + query_count, 0);
}
