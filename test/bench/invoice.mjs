// A month's invoices of 1,000 tenants against the one grouped query that they cannot do without.
import { makeCostInvoices } from 'meterbridge';
import { rowsOf, withEngine } from './engine.mjs';
import { pairs, seconds } from './pairs.mjs';

export const names = ['invoice.run_vs_final_query'];

const EVENTS = 2_000_000;
const TENANTS = Array.from({ length: 1_000 }, (_, n) => `tenant-${String(n).padStart(4, '0')}`);

export async function run(report) {
  await withEngine(async ({ clickhouse }) => {
    await clickhouse.command({
      query: `
        INSERT INTO usage_events SELECT
          concat('tenant-', leftPad(toString(cityHash64(number) % 1000), 4, '0')),
          reinterpretAsUUID(sipHash128(number)), 'query',
          toDateTime64('2025-10-01 00:00:00', 3, 'UTC') + INTERVAL intDiv(number * 5270400, ${EVENTS}) SECOND,
          1, 170 + number % 50, 12 + number % 20, 0, if(number % 2, 'gpt-4o', 'gpt-4o-mini'), '/query', 0,
          toDecimal64(165400 + number % 1000, 8) / 100000000, '2025-01',
          toDateTime64('2025-10-01 00:00:00', 3, 'UTC') + INTERVAL intDiv(number * 5270400, ${EVENTS}) SECOND
        FROM numbers(${EVENTS})`,
    });
    const grouped = () =>
      seconds(() =>
        rowsOf(
          clickhouse,
          `
          SELECT tenant_id, event_type, model, price_version, count(), sum(queries), sum(tokens_input),
            sum(tokens_output), sum(bytes), toString(sum(cost_usd))
          FROM usage_events FINAL
          WHERE toYYYYMM(timestamp) = 202511
          GROUP BY tenant_id, event_type, model, price_version`,
        ),
      );
    const invoices = () =>
      seconds(() => makeCostInvoices(clickhouse, { tenantIds: TENANTS, month: '2025-11' }));
    const { a, ratio } = await pairs(invoices, grouped, { rounds: 5 });
    report({
      name: 'invoice.run_vs_final_query',
      value: a,
      unit: 's',
      against: 'one grouped FINAL query, times the time',
      ratio,
    });
  });
}
