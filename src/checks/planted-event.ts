/**
 * An event with a cost that no price table gives, in a month of its own: an invoice that prices
 * anew cannot come to that cost, one that sums what was stored does.
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { encodeBatch } from '../metering/encode-batch.js';
import { insertBatch } from '../metering/insert-batch.js';
import { USAGE_TABLES } from '../metering/tables.js';
import { parseMonth } from '../period.js';

/** Dollars for 170 tokens in and 12 out, which gpt-4o never cost. */
const COST = '0.12345678';

/**
 * Plants the event, gives `run` its tenant, month and cost, and takes it away again.
 *
 * @example await withPlantedEvent(clickhouse, ({ tenantId, month }) => makeCostInvoice(clickhouse, { tenantId, month }));
 */
export async function withPlantedEvent<Result>(
  clickhouse: ClickHouseClient,
  run: (planted: { tenantId: string; month: string; cost: string }) => Promise<Result>,
): Promise<Result> {
  // Far ahead, where there is nothing else: the partition goes as a whole, at no cost.
  const month = parseMonth(`209${randomInt(10)}-${String(1 + randomInt(12)).padStart(2, '0')}`);
  const tenantId = `readiness-${randomUUID()}`;
  const event = {
    tenant_id: tenantId,
    event_id: randomUUID(),
    event_type: 'query' as const,
    timestamp: month.start.getTime(),
    queries: 1,
    tokens_input: 170,
    tokens_output: 12,
    bytes: 0,
    model: 'gpt-4o',
    endpoint: '',
    latency_ms: 0,
    cost_usd: COST,
    price_version: '2025-01',
    created_at: month.start.getTime(),
  };
  try {
    await insertBatch(clickhouse, await encodeBatch(randomUUID(), [event]));
    return await run({ tenantId, month: month.name, cost: COST });
  } finally {
    for (const table of USAGE_TABLES) {
      const query = `ALTER TABLE ${table} DROP PARTITION ${month.name.replace('-', '')}`;
      await clickhouse.command({ query });
    }
  }
}
