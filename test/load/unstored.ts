/**
 * U: how many requests of a tenant were admitted and not yet in ClickHouse, at worst, while its counter may
 * have begun anew from there. So many may pass beyond its quota.
 */
import type { Answer, Counts } from './checks.js';

/** What ClickHouse had, when it was read. */
export interface Reading {
  readonly ended: number;
  readonly stored: Counts;
}

/**
 * @param before queries that the tenant had before the run
 * @returns from above: what was sent until the end of each next reading, less what the one before it saw
 */
export function mostUnstored(
  readings: readonly Reading[],
  { tenantId, answers, before }: { tenantId: string; answers: readonly Answer[]; before: number },
): number {
  const admitted = answers
    .filter((answer) => answer.tenantId === tenantId && (answer.status ?? 200) === 200)
    .map(({ sentAt }) => sentAt);
  const unstored = readings.map(({ ended, stored }, index) => {
    const until = readings[index + 1]?.ended ?? ended;
    return before + admitted.filter((sentAt) => sentAt <= until).length - (stored[tenantId] ?? 0);
  });
  return Math.max(0, ...unstored);
}
