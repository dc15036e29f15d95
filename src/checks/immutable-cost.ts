/** Check 2 of M12.1 → M12.2: last month's invoices come out the same whenever they are made. */
import type { ClickHouseClient } from '@clickhouse/client';
import { type CostInvoice, makeCostInvoices } from '../invoices/cost-invoice.js';
import type { Sealed } from '../invoices/seal.js';
import { PRICE_TABLES, type PriceTable } from '../metering/costs.js';
import { EVENTS_TABLE } from '../metering/tables.js';
import { isBilled, tenantsAt } from '../metering/tenants.js';
import { formatCents, formatUsd, parseUsd } from '../money.js';
import { closingOf, type Month, previousMonth } from '../period.js';
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';
import { withPlantedEvent } from './planted-event.js';

/** Makes a month's invoices. It is handed the prices in force, and must not need them. */
export type InvoiceMaker = (
  clickhouse: ClickHouseClient,
  request: { tenantIds: readonly string[]; month: string; priceTables: readonly PriceTable[] },
) => Promise<Sealed<CostInvoice>[]>;

export interface ImmutableCostOptions {
  /** The month before this instant is checked. */
  readonly now: Date;
  /** @default makeCostInvoices */
  readonly makeInvoices?: InvoiceMaker;
}

/**
 * Makes every paying tenant's invoice twice, the second time handing the maker doubled prices, and
 * compares hash by hash; compares each total with the stored cost on another road, the daily rollup;
 * and plants an event whose cost no price table gives, which must be invoiced as it was stored.
 *
 * @example const result = await checkImmutableCost(services.clickhouse, { now: SAMPLE_NOW });
 */
export function checkImmutableCost(
  clickhouse: Service<ClickHouseClient>,
  { now, makeInvoices = makeCostInvoices }: ImmutableCostOptions,
): Promise<CheckResult> {
  const month = previousMonth(now);
  return runCheck(clickhouse, {
    id: 'immutable-cost',
    title: 'Immutable cost storage',
    expected: [
      'Invoice of tenant_123, month 2025-10: 1,250 queries, 185,000 tokens, $127.35, hash 8 characters, the same twice',
    ],
    advice:
      'Mend M12.1 before going on: store the cost in the event and sum what is stored, never price old events again; a changed invoice costs $500–2,000 per dispute',
    test: async (client) => {
      const paying = (await tenantsAt(client, now)).filter((tenant) => isBilled(tenant, now));
      const request = { tenantIds: paying.map(({ tenantId }) => tenantId), month: month.name };
      const invoices = await makeInvoices(client, { ...request, priceTables: PRICE_TABLES });
      const again = await makeInvoices(client, { ...request, priceTables: PRICE_TABLES.map(doubled) });
      const stored = await storedCosts(client, month);
      const problems = invoices.flatMap((first, index) => {
        const { tenant_id, lines } = first.invoice;
        const second = again[index];
        if (second?.sha256 !== first.sha256) {
          return [`${tenant_id}: ${dueOf(first)}; after a price change ${second ? dueOf(second) : 'none'}`];
        }
        const own = lines.filter((line) => line.usage_month === month.name);
        const invoiced = formatUsd(own.reduce((sum, line) => sum + parseUsd(line.cost_usd), 0n));
        const cost = stored.get(tenant_id) ?? formatUsd(0n);
        return invoiced === cost
          ? []
          : [`${tenant_id}: the invoice says $${invoiced}, the daily rollup $${cost}`];
      });
      problems.push(
        ...(await withPlantedEvent(client, async ({ cost, tenantId, month }) => {
          const request = { tenantIds: [tenantId], month, priceTables: PRICE_TABLES };
          const [planted] = await makeInvoices(client, request);
          const invoiced = planted?.invoice.total_cost_usd;
          return invoiced === cost
            ? []
            : [`an event stored at $${cost} is invoiced at $${invoiced}: it was priced anew`];
        })),
      );
      const [example] = invoices;
      if (!example) return { problems: ['no tenant is active'], evidence: [] };
      return {
        problems,
        evidence: [
          `${invoices.length} invoices of ${month.name} made twice: the same hash each`,
          `${example.invoice.tenant_id}, month ${month.name}: ${wordsOf(example)}`,
          'every total equals the stored cost in the daily rollup, to 1e-8 dollars',
          'an event stored at a price of its own is invoiced at that price',
        ],
      };
    },
  });
}

function wordsOf(sealed: Sealed<CostInvoice>): string {
  const count = (amount: number) => amount.toLocaleString('en-US');
  const { total_queries, total_tokens } = sealed.invoice;
  return `${count(total_queries)} queries, ${count(total_tokens)} tokens, ${dueOf(sealed)}`;
}

function dueOf({ invoice, sha256 }: Sealed<CostInvoice>): string {
  return `$${formatCents(BigInt(invoice.amount_due_cents))}, hash ${sha256.slice(0, 8)}`;
}

function doubled(table: PriceTable): PriceTable {
  const models = Object.entries(table.models).map(([model, { input, output }]) => [
    model,
    { input: 2n * input, output: 2n * output },
  ]);
  return { ...table, models: Object.fromEntries(models), basePerQuery: 2n * table.basePerQuery };
}

/** By another road than the invoice: the daily rollup, less what came too late for the month. */
async function storedCosts(clickhouse: ClickHouseClient, month: Month): Promise<Map<string, string>> {
  const result = await clickhouse.query({
    query: `
      SELECT tenant_id, toString(sum(cost)) AS cost_usd
      FROM
      (
        SELECT tenant_id, cost_usd AS cost FROM usage_daily WHERE toYYYYMM(day) = {month:UInt32}
        UNION ALL
        SELECT tenant_id, -cost_usd
        FROM ${EVENTS_TABLE} FINAL
        WHERE toYYYYMM(timestamp) = {month:UInt32}
          AND created_at >= fromUnixTimestamp64Milli({closes:Int64}, 'UTC')
      )
      GROUP BY tenant_id`,
    query_params: { month: Number(month.name.replace('-', '')), closes: closingOf(month).getTime() },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ tenant_id: string; cost_usd: string }>();
  return new Map(rows.map(({ tenant_id, cost_usd }) => [tenant_id, formatUsd(parseUsd(cost_usd))]));
}
