/**
 * The gate without Redis: the same answers, for one process, gone when it ends. It takes over
 * where Redis is off, and says so by its mode.
 */
import {
  decisionOf,
  NOTHING_USED,
  QUOTA_KINDS,
  type QuotaCounts,
  type QuotaGate,
  type QuotaGateOptions,
  quotaDayOf,
} from './quota-gate.js';

/**
 * The gate without Redis: the same answers, for one process.
 *
 * @example const gate = inProcessQuotaGate();
 */
export function inProcessQuotaGate({ usedToday }: QuotaGateOptions = {}): QuotaGate {
  const days = new Map<string, { used: QuotaCounts; keptUntilMs: number }>();

  return {
    mode: 'in-process',

    async reserve(request) {
      const { amounts, limits, tenantId, now } = request;
      const day = quotaDayOf(request);
      const start = days.has(day.key) || !usedToday ? NOTHING_USED : await usedToday(tenantId, now);
      // No await between reading and counting: nothing else runs in between.
      const used = days.get(day.key)?.used ?? start;
      if (!days.has(day.key)) dropEnded(days, now);
      const full = QUOTA_KINDS.find((kind) => amounts[kind] > 0 && used[kind] + amounts[kind] > limits[kind]);
      const counted = full ? used : added(used, amounts, 1);
      days.set(day.key, {
        used: counted,
        keptUntilMs: days.get(day.key)?.keptUntilMs ?? now.getTime() + day.keepMs,
      });
      return decisionOf(request, day, counted, full);
    },

    async refund(request) {
      const kept = days.get(quotaDayOf(request).key);
      if (kept) kept.used = added(kept.used, request.amounts, -1);
    },

    async forget({ tenantId, now }) {
      days.delete(quotaDayOf({ tenantId, amounts: NOTHING_USED, now }).key);
    },

    async ping() {},
  };
}

/** Never below zero. */
function added(used: QuotaCounts, amounts: QuotaCounts, sign: 1 | -1): QuotaCounts {
  return {
    queries: Math.max(0, used.queries + sign * amounts.queries),
    tokens: Math.max(0, used.tokens + sign * amounts.tokens),
  };
}

/** A new day is the moment to drop ended ones, or the map would grow for ever. */
function dropEnded(days: Map<string, { keptUntilMs: number }>, now: Date): void {
  for (const [key, { keptUntilMs }] of days) if (keptUntilMs <= now.getTime()) days.delete(key);
}
