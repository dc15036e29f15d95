/** What a response says about quotas: the RateLimit fields of the IETF draft, and Retry-After. */
import { DAY_MS } from '../period.js';
import type { QuotaDecision } from '../quotas/quota-gate.js';

/**
 * @example rateLimitHeaders(decision, now)
 * // { 'ratelimit-policy': '"queries";q=10;w=86400, …', ratelimit: '"queries";r=0;t=3600, …', 'retry-after': '3600' }
 */
export function rateLimitHeaders({ allowed, windows }: QuotaDecision, now: Date): Record<string, string> {
  const secondsTo = (instant: Date) => Math.max(1, Math.ceil((instant.getTime() - now.getTime()) / 1_000));
  const policy = windows.map(({ kind, limit }) => `"${kind}";q=${limit};w=${DAY_MS / 1_000}`);
  const state = windows.map(
    ({ kind, remaining, resetsAt }) => `"${kind}";r=${remaining};t=${secondsTo(resetsAt)}`,
  );
  const [first] = windows;
  return {
    'ratelimit-policy': policy.join(', '),
    ratelimit: state.join(', '),
    ...(!allowed && first && { 'retry-after': String(secondsTo(first.resetsAt)) }),
  };
}
