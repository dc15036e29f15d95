/** A smaller plan that a tenant already uses more than. */
import type { DailyLimits, PlanName } from '../plans.js';

export class UseExceedsPlanError extends Error {
  override readonly name = 'UseExceedsPlanError';
  readonly tenantId: string;
  readonly plan: PlanName;
  /** The busiest day, e.g. `2025-11-12`. */
  readonly day: string;
  readonly used: DailyLimits;
  readonly limits: DailyLimits;

  constructor(facts: {
    tenantId: string;
    plan: PlanName;
    day: string;
    used: DailyLimits;
    limits: DailyLimits;
  }) {
    const { tenantId, plan, day, used, limits } = facts;
    const part = (kind: keyof DailyLimits) => `${used[kind]} of ${limits[kind]} ${kind}`;
    super(
      `Cannot change ${tenantId} to ${plan}: on ${day} it used ${part('queries')} and ` +
        `${part('tokens')} that ${plan} has for a day`,
    );
    this.tenantId = tenantId;
    this.plan = plan;
    this.day = day;
    this.used = used;
    this.limits = limits;
  }
}
