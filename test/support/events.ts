import { PRICE_TABLES } from '../../src/metering/costs.js';
import { createEvent, type EventInput, type UsageEvent } from '../../src/metering/event.js';

/** The clock of the tests. */
export const NOW = new Date('2025-11-15T12:00:00Z');

/** An id that is the same in every run: `idOf(1)` is `00000000-0000-4000-8000-000000000001`. */
export const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** An event of 100 tokens in, 10 out with gpt-4o, which costs $0.00142000, at `NOW`. */
export function eventOf(input: Partial<EventInput> = {}, now = NOW): UsageEvent {
  const usage = { tenantId: 'acme-corp', model: 'gpt-4o', tokensInput: 100, tokensOutput: 10 };
  return createEvent({ ...usage, ...input }, { priceTables: PRICE_TABLES, now });
}
