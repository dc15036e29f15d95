import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { PRICE_TABLES } from '../../src/metering/costs.js';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { createEvent, EVENT_COLUMNS, type UsageEvent } from '../../src/metering/event.js';
import type { EventInput } from '../../src/metering/event-input.js';
import { insertBatch } from '../../src/metering/insert-batch.js';

/** The clock of the tests. */
export const NOW = new Date('2025-11-15T12:00:00Z');

/** An id that is the same in every run: `idOf(1)` is `00000000-0000-4000-8000-000000000001`. */
export const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** An event of 100 tokens in, 10 out with gpt-4o, which costs $0.00142000, at `NOW`. */
export function eventOf(input: Partial<EventInput> = {}, now = NOW): UsageEvent {
  const usage = { tenantId: 'acme-corp', model: 'gpt-4o', tokensInput: 100, tokensOutput: 10 };
  return createEvent({ ...usage, ...input }, { priceTables: PRICE_TABLES, now });
}

/** The event that a line of an insert or a fallback file holds. */
export function eventIn(line: string): UsageEvent {
  const values = JSON.parse(line) as unknown[];
  if (!Array.isArray(values) || values.length !== EVENT_COLUMNS.length) throw new Error(`no event: ${line}`);
  return Object.fromEntries(EVENT_COLUMNS.map((column, index) => [column, values[index]])) as never;
}

/** All events of an insert or a fallback file, between the statement's or the file's other lines. */
export function eventsIn(text: string): UsageEvent[] {
  const lines = text.split('\n').filter((line) => /^ *\[/.test(line));
  return lines.map(eventIn);
}

/** Stores events as one batch, under an id of its own unless told one. */
export async function storeBatch(
  clickhouse: ClickHouseClient,
  events: readonly UsageEvent[],
  id: string = randomUUID(),
): Promise<void> {
  await insertBatch(clickhouse, await encodeBatch(id, events));
}
