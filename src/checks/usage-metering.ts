/** Check 1 of M12.4 → M13.1: what a tenant uses is in its usage at once, exactly, and in nobody else's. */
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';
import type { Platform } from './platform.js';
import { type TestTenant, withTenants } from './test-tenant.js';

/** Queries of the first tenant; the second asks half as many, at the same time. */
const QUERIES = 20;

/** Bytes that the first tenant stores. */
const BYTES = 4_096;

/** A tenant's figures, in the words of the usage API. */
interface Figures {
  readonly queries: number;
  readonly tokens_input: number;
  readonly tokens_output: number;
  readonly bytes: number;
}

const NOTHING: Figures = { queries: 0, tokens_input: 0, tokens_output: 0, bytes: 0 };
const KINDS = Object.keys(NOTHING) as (keyof Figures)[];

/**
 * Two tenants ask at the same time, over HTTP, and one of them stores something. What the answers said is
 * added up here and must be what `GET /api/tenants/{id}/usage` says to each.
 *
 * @example const result = await checkUsageMetering(platform.service);
 */
export function checkUsageMetering(platform: Service<Platform>): Promise<CheckResult> {
  return runCheck(platform, {
    id: 'usage-metering',
    title: 'Usage metering',
    expected: [
      '20 and 10 queries of two tenants at once are in their usage',
      'queries, tokens and bytes of each are those of its own answers',
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
        await tracker.flush();

        const today = clock.now().toISOString().slice(0, 10);
        const wanted: [string, TestTenant, Figures][] = [
          ['the first tenant', busy, { ...first, bytes: BYTES }],
          ['the second tenant', calm, second],
        ];
        const problems: string[] = [];
        for (const [name, tenant, figures] of wanted)
          problems.push(...differences(name, figures, await usageOf(tenant, today)));
        return {
          problems,
          measured: { asked: (performance.now() - started) / 1_000 },
          evidence: [
            `ClickHouse answers; ${QUERIES} and ${QUERIES / 2} queries of two tenants at once are in their usage`,
            'queries, tokens and bytes of each are those of its own answers',
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

async function usageOf({ tenantId, call }: TestTenant, day: string): Promise<Figures> {
  const range = `start_date=${day}&end_date=${day}`;
  const { status, body } = await call('GET', `/api/tenants/${tenantId}/usage?${range}`);
  if (status !== 200) throw new Error(`the usage of a tenant got ${status}, not 200`);
  return body.totals as Figures;
}

function differences(name: string, wanted: Figures, found: Figures): string[] {
  const count = (amount: number) => amount.toLocaleString('en-US');
  return KINDS.filter((kind) => found[kind] !== wanted[kind]).map(
    (kind) => `${kind} of ${name}: ${count(wanted[kind])} as answered, ${count(found[kind])} in its usage`,
  );
}
