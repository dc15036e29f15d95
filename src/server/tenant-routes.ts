/** What a tenant does with itself over HTTP: another plan, and its deletion. */
import type { Context } from 'hono';
import { z } from 'zod';
import { parseInput, planName } from '../input.js';
import { formatCents } from '../money.js';
import {
  changeTenantPlan,
  type PlanParts,
  previewTenantPlan,
  type TenantPlanChange,
} from '../tenants/change-tenant-plan.js';
import { type DeletionParts, deleteTenant } from '../tenants/delete-tenant.js';
import { NoSubscriptionError } from '../tenants/no-subscription-error.js';
import { TransitionRefusedError } from '../tenants/transition-refused-error.js';
import { UseExceedsPlanError } from '../tenants/use-exceeds-plan-error.js';
import type { TenantApp, TenantEnv } from './authenticate.js';
import { jsonBody } from './json-body.js';
import { problem } from './problem.js';

export interface TenantRoutesOptions {
  readonly plan: PlanParts;
  readonly deletion: DeletionParts;
}

const planBody = z.strictObject({ plan: planName });
const dryRun = z.enum(['true', 'false'], 'must be true or false').default('false');

/**
 * `POST /api/tenants/:id/plan` and `DELETE /api/tenants/:id`, for the key of that tenant alone.
 *
 * @example
 * const platform = await openPlatform(services);
 * const sameRoutes = async () => console.log('the routes are as they were');
 * await platform.withParts((own, { parts }) => {
 *   const options = { plan: parts, deletion: parts };
 *   return { ...own, tenantRoutes: (app) => addTenantRoutes(app, options) };
 * }, sameRoutes);
 * await platform.close();
 */
export function addTenantRoutes(app: TenantApp, { plan, deletion }: TenantRoutesOptions): void {
  app.post('/api/tenants/:id/plan', (context) =>
    answered(context, async (tenantId) => {
      const wanted = { tenantId, ...parseInput(planBody, 'plan', await jsonBody(context, 'plan')) };
      const isDry = parseInput(dryRun, 'dry_run', context.req.query('dry_run')) === 'true';
      const change = await (isDry ? previewTenantPlan(plan, wanted) : changeTenantPlan(plan, wanted));
      return context.json(bodyOf(change, isDry));
    }),
  );

  app.delete('/api/tenants/:id', (context) =>
    answered(context, async (tenantId) => {
      const { tenant, purgeAt } = await deleteTenant(deletion, { tenantId });
      return context.json({ tenant_id: tenantId, state: tenant.state, purge_at: purgeAt.toISOString() }, 202);
    }),
  );
}

/** What was refused is told with the current state, or with the use that stands against it. */
async function answered(
  context: Context<TenantEnv>,
  work: (tenantId: string) => Promise<Response>,
): Promise<Response> {
  try {
    return await work(context.get('holder').tenantId);
  } catch (error) {
    if (error instanceof TransitionRefusedError) {
      const { state, version, allowed } = error;
      return problem(409, error.message, {}, { state, version, allowed });
    }
    if (error instanceof NoSubscriptionError) return problem(409, error.message);
    if (error instanceof UseExceedsPlanError) {
      const { day, used, limits } = error;
      return problem(422, error.message, {}, { day, used, limits });
    }
    throw error;
  }
}

function bodyOf({ tenant, kind, plan, holdsFrom, proration }: TenantPlanChange, isDry: boolean): object {
  const dollars = (cents: number) => formatCents(BigInt(cents));
  return {
    tenant_id: tenant.tenantId,
    state: tenant.state,
    version: tenant.version,
    dry_run: isDry,
    change: {
      kind,
      plan,
      holds_from: holdsFrom.toISOString(),
      amount_usd: dollars(proration.totalCents),
      lines: proration.lines.map(({ description, amountCents }) => ({
        description,
        amount_usd: dollars(amountCents),
      })),
    },
  };
}
