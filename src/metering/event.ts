/**
 * A usage event: one billable action of one tenant. Its identity, time and cost are fixed
 * here, once; every copy that travels later (retry, replay) is the same event.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { InvalidInputError } from '../errors.js';
import { parseInput, tenantId, wholeNumber } from '../input.js';
import { formatUsd } from '../money.js';
import { costOf, type PriceTable, priceTableAt } from './costs.js';

/** One answered query is one event; the other types are for work outside a query. */
export const EVENT_TYPES = [
  'query',
  'embedding',
  'storage_write',
  'storage_read',
  'token_input',
  'token_output',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What a caller knows of an action. Quantities default to 0, a query's `queries` to 1. */
export interface EventInput {
  readonly tenantId: string;
  /** A UUID; give it and the timestamp where the caller may repeat itself. @default a random one */
  readonly eventId?: string | undefined;
  /** @default 'query' */
  readonly type?: EventType | undefined;
  /** When it happened. @default now */
  readonly timestamp?: Date | undefined;
  readonly queries?: number | undefined;
  readonly tokensInput?: number | undefined;
  readonly tokensOutput?: number | undefined;
  /** Bytes kept for one day. */
  readonly bytes?: number | undefined;
  /** Needed where there are tokens. */
  readonly model?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly latencyMs?: number | undefined;
}

/** An event as a row of `usage_events`: times are epoch milliseconds in UTC, money is a decimal string. */
export interface UsageEvent {
  readonly tenant_id: string;
  readonly event_id: string;
  readonly event_type: EventType;
  readonly timestamp: number;
  readonly queries: number;
  readonly tokens_input: number;
  readonly tokens_output: number;
  readonly bytes: number;
  readonly model: string;
  readonly endpoint: string;
  readonly latency_ms: number;
  /** Dollars with eight places. */
  readonly cost_usd: string;
  readonly price_version: string;
  /** When the tracker accepted it; of two copies the earlier one counts. */
  readonly created_at: number;
}

/** How far an event's time may lie ahead of our clock: clocks of callers differ a little. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Largest quantity in one event: the columns are UInt32, bytes UInt64 within a double. */
const MAX_COUNT = 4_294_967_295;
const count = wholeNumber.max(MAX_COUNT, `must be at most ${MAX_COUNT}`);
/** Half a surrogate pair (an emoji cut in two) would have the engine refuse the whole batch. */
const word = z
  .string('must be text')
  .max(200, 'must be at most 200 characters')
  .regex(/^\P{Cs}*$/u, 'must be well-formed Unicode');

const schema: z.ZodType<EventInput> = z.strictObject({
  tenantId,
  eventId: z.uuid('must be a UUID').optional(),
  type: z.enum(EVENT_TYPES, `must be one of ${EVENT_TYPES.join(', ')}`).optional(),
  timestamp: z.date('must be a valid Date').optional(),
  queries: count.optional(),
  tokensInput: count.optional(),
  tokensOutput: count.optional(),
  bytes: wholeNumber.optional(),
  model: word.optional(),
  endpoint: word.optional(),
  latencyMs: count.optional(),
});

/**
 * Fixes an event: checks the input, gives it its id and time, and prices it.
 *
 * @param now the instant of acceptance
 * @throws InvalidInputError for a malformed field or a time in the future.
 * @throws UnknownModelError when the price table in force does not know the model.
 * @example createEvent({ tenantId: 'acme-corp', model: 'gpt-4o', tokensInput: 170, tokensOutput: 12 },
 *   { priceTables: PRICE_TABLES, now: new Date() }).cost_usd // '0.00165400'
 */
export function createEvent(
  input: EventInput,
  { priceTables, now }: { priceTables: readonly PriceTable[]; now: Date },
): UsageEvent {
  const given = parseInput(schema, 'event', input);
  const { type = 'query', timestamp = now } = given;
  if (timestamp.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    throw new InvalidInputError(
      'event',
      'timestamp',
      `must not lie in the future, current value is ${timestamp.toISOString()} at ${now.toISOString()}`,
    );
  }
  const usage = {
    model: given.model,
    queries: given.queries ?? (type === 'query' ? 1 : 0),
    tokensInput: given.tokensInput ?? 0,
    tokensOutput: given.tokensOutput ?? 0,
    bytes: given.bytes ?? 0,
  };
  if (usage.model === undefined && usage.tokensInput + usage.tokensOutput > 0) {
    throw new InvalidInputError('event', 'model', 'must be given where there are tokens');
  }
  const prices = priceTableAt(priceTables, timestamp);
  return {
    tenant_id: given.tenantId,
    event_id: (given.eventId ?? randomUUID()).toLowerCase(),
    event_type: type,
    timestamp: timestamp.getTime(),
    queries: usage.queries,
    tokens_input: usage.tokensInput,
    tokens_output: usage.tokensOutput,
    bytes: usage.bytes,
    model: given.model ?? '',
    endpoint: given.endpoint ?? '',
    latency_ms: given.latencyMs ?? 0,
    cost_usd: formatUsd(costOf(prices, usage)),
    price_version: prices.version,
    created_at: now.getTime(),
  };
}
