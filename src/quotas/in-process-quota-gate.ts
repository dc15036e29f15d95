/**
 * The gate without Redis: the same answers, for one process, gone when it ends. It takes over
 * where Redis is off, and says so by its mode.
 */
import { decisionOf, limitedWindowsOf, type QuotaGate, type QuotaWindow, windowsOf } from './quota-gate.js';

/** @example const gate = inProcessQuotaGate(); */
export function inProcessQuotaGate(): QuotaGate {
  const counters = new Map<string, { used: number; keptUntilMs: number }>();
  const usedOf = ({ key }: QuotaWindow) => counters.get(key)?.used ?? 0;

  return {
    mode: 'in-process',

    // No await between reading and counting: nothing else runs in between.
    async reserve(request) {
      const windows = limitedWindowsOf(request);
      const full = windows.find((window) => {
        const amount = request.amounts[window.kind];
        return amount > 0 && usedOf(window) + amount > request.limits[window.kind];
      });
      if (!full) {
        for (const window of windows) {
          dropEnded(counters, window, request.now);
          counters.set(window.key, {
            used: usedOf(window) + request.amounts[window.kind],
            keptUntilMs: request.now.getTime() + window.keepMs,
          });
        }
      }
      return decisionOf(request, windows, { used: windows.map(usedOf), refusedBy: full?.kind });
    },

    async refund(request) {
      for (const window of windowsOf(request)) {
        const counter = counters.get(window.key);
        if (counter) counter.used = Math.max(0, counter.used - request.amounts[window.kind]);
      }
    },

    async forget({ tenantId, now }) {
      for (const { key } of windowsOf({ tenantId, amounts: { queries: 0, tokens: 0 }, now })) {
        counters.delete(key);
      }
    },

    async ping() {},
  };
}

/** A new counter is the moment to drop those of ended days, or the map would grow for ever. */
function dropEnded(counters: Map<string, { keptUntilMs: number }>, window: QuotaWindow, now: Date): void {
  if (counters.has(window.key)) return;
  for (const [key, { keptUntilMs }] of counters) if (keptUntilMs <= now.getTime()) counters.delete(key);
}
