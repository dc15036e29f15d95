/** Check 4 of M12.1 → M12.2: a quota of 10 lets 10 requests through, and the 11th gets a 429. */
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';

/** Requests that the quota of the check allows. */
export const CHECKED_QUOTA = 10;

/** Requests at once: a gate that looks first and counts later lets too many of them through. */
const BURST = 40;

export interface QuotaAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** A way to ask the service over HTTP, as two tenants whose quota is `CHECKED_QUOTA` a day. */
export interface QuotaTrial {
  /** Which gate decides. */
  readonly gateMode: 'redis' | 'in-process';
  /** One request of the first tenant. */
  askOnce(): Promise<QuotaAnswer>;
  /** That many requests of the second tenant, all before the gate at the same instant. */
  askAtOnce(count: number): Promise<QuotaAnswer[]>;
}

/**
 * Eleven requests one after the other, then forty at once, over HTTP.
 *
 * @example const result = await withQuotaTrial(gate, checkQuotaEnforcement);
 */
export function checkQuotaEnforcement(trial: Service<QuotaTrial>): Promise<CheckResult> {
  return runCheck(trial, {
    id: 'quota-enforcement',
    title: 'Quota enforcement',
    expected: ['Requests 1-10: passed', '✓ Request 11: Blocked with 429 (quota exceeded)'],
    advice:
      'Mend M12.1 before going on: decide and count in one step, before the request is answered; each incident costs $200–500',
    test: async ({ askOnce, askAtOnce, gateMode }) => {
      const inTurn: number[] = [];
      for (let request = 1; request <= CHECKED_QUOTA; request += 1) inTurn.push((await askOnce()).status);
      const eleventh = await askOnce();
      const burst = await askAtOnce(BURST);

      const gate = gateMode === 'redis' ? 'one Redis script' : 'the gate inside the process (Redis is off)';
      const problems = inTurn.flatMap((status, index) =>
        status === 200 ? [] : [`request ${index + 1} of ${CHECKED_QUOTA} got ${status}, not 200`],
      );
      if (eleventh.status !== 429)
        problems.push(`request ${CHECKED_QUOTA + 1} got ${eleventh.status}, not 429`);
      else if (!Number(eleventh.retryAfter)) problems.push('the 429 does not say when to try again');
      const passed = burst.filter(({ status }) => status === 200).length;
      // How many too many is chance; that it is not ten is the finding.
      if (passed !== CHECKED_QUOTA) {
        const amount = passed > CHECKED_QUOTA ? 'more' : 'fewer';
        problems.push(`of ${BURST} requests at once ${amount} than ${CHECKED_QUOTA} passed`);
      }
      return {
        problems,
        measured: { passedOfBurst: passed },
        evidence: [
          `Request ${CHECKED_QUOTA + 1}: Blocked with 429 (quota exceeded) by ${gate}, after ${CHECKED_QUOTA} that passed`,
          `of ${BURST} requests at once exactly ${CHECKED_QUOTA} passed`,
        ],
      };
    },
  });
}
