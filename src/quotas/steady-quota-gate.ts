/**
 * What happens when Redis is away: the twin inside the process takes over, and says so by its
 * mode. A tenant then has its quota once for each process, not once in all; the alternatives were
 * to refuse everybody (an outage of ours becomes one of theirs) or to let everything pass (the cost
 * that the gate is there to stop). When Redis is back, the tenants that the twin served begin
 * again from ClickHouse.
 */
import { setTimeout } from 'node:timers/promises';
import { InvalidInputError } from '../errors.js';
import { inProcessQuotaGate } from './in-process-quota-gate.js';
import type { QuotaGate, QuotaGateOptions, QuotaRequest } from './quota-gate.js';

export interface SteadyQuotaGateOptions extends QuotaGateOptions {
  /** How long Redis is left alone after it failed. @default 1000 */
  readonly retryAfterMs?: number;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clockMs?: () => number;
}

/** Longest wait of one request a second while Redis is away. */
const SIGN_OF_LIFE_MS = 100;

const yes = () => true;
const no = () => false;

/**
 * The gate that goes on inside the process while Redis is away, and says so by its mode.
 *
 * @example const gate = steadyQuotaGate(redisQuotaGate(redis, { usedToday }), { usedToday });
 */
export function steadyQuotaGate(redis: QuotaGate, options: SteadyQuotaGateOptions = {}): QuotaGate {
  const { usedToday, retryAfterMs = 1_000, clockMs = () => performance.now() } = options;
  const newTwin = () => inProcessQuotaGate(usedToday ? { usedToday } : {});
  let twin = newTwin();
  let served = new Map<string, Pick<QuotaRequest, 'tenantId' | 'now'>>();
  let awayUntil = Number.NEGATIVE_INFINITY;

  /** After a failure Redis gives a sign of life first: one that hangs would have requests wait for its timeout. */
  async function isThere(): Promise<boolean> {
    if (awayUntil === Number.NEGATIVE_INFINITY) return true;
    if (clockMs() < awayUntil) return false;
    awayUntil = clockMs() + retryAfterMs;
    const late = setTimeout(SIGN_OF_LIFE_MS, false, { ref: false });
    const answers = await Promise.race([redis.ping().then(yes, no), late]);
    if (answers) awayUntil = Number.NEGATIVE_INFINITY;
    return answers;
  }

  /** Redis if it answers, else the twin. */
  async function whichever<T>(
    tenant: Pick<QuotaRequest, 'tenantId' | 'now'>,
    ask: (gate: QuotaGate) => Promise<T>,
  ) {
    if (await isThere()) {
      try {
        await handBack();
        return await ask(redis);
      } catch (error) {
        if (error instanceof InvalidInputError) throw error;
        awayUntil = clockMs() + retryAfterMs;
      }
    }
    served.set(tenant.tenantId, { tenantId: tenant.tenantId, now: tenant.now });
    return ask(twin);
  }

  async function handBack(): Promise<void> {
    if (served.size === 0) return;
    // Forgotten counters begin again from ClickHouse; without it they had better stay.
    if (usedToday) for (const tenant of served.values()) await redis.forget(tenant);
    served = new Map();
    twin = newTwin();
  }

  return {
    get mode() {
      return served.size > 0 ? 'in-process' : 'redis';
    },
    reserve: (request) => whichever(request, (gate) => gate.reserve(request)),
    refund: (request) => whichever(request, (gate) => gate.refund(request)),
    forget: (tenant) => whichever(tenant, (gate) => gate.forget(tenant)),
    ping: () => redis.ping(),
  };
}
