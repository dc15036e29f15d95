/** What a caller tells of an action, and the check of it. */
import { z } from 'zod';
import { parseInput, TENANT_ID, tenantId, text, WELL_FORMED, wholeNumber } from '../input.js';

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

/** Largest quantity in one event: the columns are UInt32, bytes UInt64 within a double. */
const MAX_COUNT = 4_294_967_295;
export const count = wholeNumber.max(MAX_COUNT, `must be at most ${MAX_COUNT}`);
const LONGEST_WORD = 200;
export const word = text.max(LONGEST_WORD, `must be at most ${LONGEST_WORD} characters`);

export const eventInput: z.ZodType<EventInput> = z.strictObject({
  tenantId,
  eventId: z.guid('must be a UUID').optional(),
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
 * Checks what a caller gave.
 *
 * @throws InvalidInputError for the first field that does not fit.
 * @example parseEventInput({ tenantId: 'acme-corp', queries: -1 }) // throws: queries must be …
 */
export function parseEventInput(input: EventInput): EventInput {
  // Looked at directly, the usual call takes a tenth of the time; the schema judges all others.
  return isUsual(input) ? input : parseInput(eventInput, 'event', input);
}

const USUAL = new Set([
  'tenantId',
  'type',
  'queries',
  'tokensInput',
  'tokensOutput',
  'model',
  'endpoint',
  'latencyMs',
]);
const TYPES = new Set<unknown>([undefined, ...EVENT_TYPES]);

/** Whether the schema would certainly take it as it is. */
export function isUsual(input: EventInput): boolean {
  if (typeof input !== 'object' || input === null) return false;
  for (const key in input) if (!USUAL.has(key)) return false;
  const { type, queries, tokensInput, tokensOutput, latencyMs, model, endpoint } = input;
  return (
    isTenantId(input.tenantId) &&
    TYPES.has(type) &&
    isCount(queries) &&
    isCount(tokensInput) &&
    isCount(tokensOutput) &&
    isCount(latencyMs) &&
    isWord(model) &&
    isWord(endpoint)
  );
}

const isTenantId = (value: unknown) => typeof value === 'string' && TENANT_ID.test(value);
const isCount = (value: unknown) =>
  value === undefined ||
  (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_COUNT);
const isWord = (value: unknown) =>
  value === undefined ||
  (typeof value === 'string' && value.length <= LONGEST_WORD && WELL_FORMED.test(value));
