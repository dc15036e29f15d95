/** A smaller plan that a tenant already uses more than. */
import type { DailyLimits, PlanName } from '../plans.js';

export class UseExceedsPlanError extends Error {
  override readonly name = 'UseExceedsPlanError';

  /** @param day the busiest one, e.g. `2025-11-12` */
  constructor(
    readonly tenantId: string,
    readonly plan: PlanName,
    readonly day: string,
    readonly used: DailyLimits,
    readonly limits: DailyLimits,
  ) {
    const part = (kind: keyof DailyLimits) => `${used[kind]} of ${limits[kind]} ${kind}`;
    super(
      `Cannot change ${tenantId} to ${plan}: on ${day} it used ${part('queries')} and ` +
        `${part('tokens')} that ${plan} has for a day`,
    );
  }
}
