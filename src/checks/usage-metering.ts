/** Check 1 of M12.4 → M13.1: what a tenant uses is in its usage at once, exactly, and in nobody else's. */
import { setTimeout } from 'node:timers/promises';
import type { UsageTotals } from '../metering/usage.js';
import { dayOf } from '../period.js';
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';
import type { Platform } from './platform.js';
import { type TestTenant, withTenants } from './test-tenant.js';

/** Queries of the first tenant; the second asks half as many, at the same time. */
const QUERIES = 20;

/** Bytes that the first tenant stores. */
const BYTES = 4_096;

/** Between two looks at the usage. */
const LOOK_MS = 100;

/** A tenant's figures, in the words of the usage API. */
type Figures = Omit<UsageTotals, 'cost_usd'>;

const NOTHING: Figures = { queries: 0, tokens_input: 0, tokens_output: 0, bytes: 0 };
const KINDS = Object.keys(NOTHING) as (keyof Figures)[];

export interface UsageMeteringOptions {
  /** Longest wait until what was answered is in the usage, in seconds. @default 10 */
  readonly withinSeconds?: number;
}

/**
 * Two tenants ask at the same time, over HTTP, and one of them stores something. What the answers said is
 * added up here and must be what `GET /api/tenants/{id}/usage` says to each, some seconds later, and to nobody
 * else.
 *
 * @example const result = await checkUsageMetering(platform.service);
 */
export function checkUsageMetering(
  platform: Service<Platform>,
  { withinSeconds = 10 }: UsageMeteringOptions = {},
): Promise<CheckResult> {
  return runCheck(platform, {
    id: 'usage-metering',
    title: 'Usage metering',
    expected: [
      '20 and 10 queries of two tenants at once are in their usage',
      'queries, tokens and bytes of each are those of its own answers; the other reads 403',
    ],
    advice:
      'Mend M12.1 before going on: follow one query from its answer to usage_daily (tracker, tenant id, rollup, route); what is not metered cannot be billed',
    async test({ url, clock, clickhouse, tracker }) {
      await clickhouse.command({ query: 'SELECT 1' });
      return withTenants(url, ['starter', 'starter'], async (tenants) => {
        const [busy, calm] = tenants as [TestTenant, TestTenant];
        const started = performance.now();
        const [first, second] = await Promise.all([askAll(busy, QUERIES), askAll(calm, QUERIES / 2)]);
        tracker.track({ tenantId: busy.tenantId, type: 'storage_write', bytes: BYTES });

        const wanted: Wanted[] = [
          ['the first tenant', busy, { ...first, bytes: BYTES }],
          ['the second tenant', calm, second],
        ];
        const path = usagePath(calm, clock.now());
        const problems = await differencesWithin(withinSeconds, wanted, clock.now());
        const { status } = await busy.call('GET', path);
        if (status !== 403) problems.push(`one tenant's key got ${status}, not 403, for the other's usage`);
        return {
          problems,
          measured: { asked: (performance.now() - started) / 1_000 },
          evidence: [
            `ClickHouse answers; ${QUERIES} and ${QUERIES / 2} queries of two tenants at once are in their usage`,
            'queries, tokens and bytes of each are those of its own answers; the other reads 403',
          ],
        };
      });
    },
  });
}

/** Asks so often at once, and adds up what the answers say. */
async function askAll({ ask }: TestTenant, count: number): Promise<Figures> {
  const questions = Array.from(
    { length: count },
    (_, index) => `What is a meter, put in ${index + 1} words?`,
  );
  let sum = NOTHING;
  for (const { status, body } of await Promise.all(questions.map(ask))) {
    if (status !== 200) throw new Error(`a query got ${status}, not 200`);
    const { tokens_input, tokens_output } = body.usage as Figures;
    sum = {
      queries: sum.queries + 1,
      tokens_input: sum.tokens_input + tokens_input,
      tokens_output: sum.tokens_output + tokens_output,
      bytes: 0,
    };
  }
  return sum;
}

type Wanted = readonly [name: string, tenant: TestTenant, figures: Figures];

/** What differs once as much is there as was answered, or the time is over. */
async function differencesWithin(seconds: number, wanted: readonly Wanted[], day: Date): Promise<string[]> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const found = await Promise.all(wanted.map(([, tenant]) => usageOf(tenant, day)));
    const rows = wanted.map(([name, , figures], at) => [name, figures, found[at] ?? NOTHING] as const);
    const isThere = rows.every(([, figures, read]) => KINDS.every((kind) => read[kind] >= figures[kind]));
    if (isThere || performance.now() >= end) return rows.flatMap((row) => differences(...row));
    await setTimeout(LOOK_MS);
  }
}

function usagePath({ tenantId }: TestTenant, now: Date): string {
  const day = dayOf(now);
  return `/api/tenants/${tenantId}/usage?start_date=${day}&end_date=${day}`;
}

async function usageOf(tenant: TestTenant, now: Date): Promise<Figures> {
  const { status, body } = await tenant.call('GET', usagePath(tenant, now));
  if (status !== 200) throw new Error(`the usage of a tenant got ${status}, not 200`);
  return body.totals as Figures;
}

function differences(name: string, wanted: Figures, found: Figures): string[] {
  const count = (amount: number) => amount.toLocaleString('en-US');
  return KINDS.filter((kind) => found[kind] !== wanted[kind]).map(
    (kind) => `${kind} of ${name}: ${count(wanted[kind])} as answered, ${count(found[kind])} in its usage`,
  );
}
