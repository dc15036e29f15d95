/**
 * What an event costs: the price table in force at the event's time, plus markup, plus the
 * base price of a query. Computed once, when the event happens, and stored with the version
 * of the table, so that a later price change never alters an old invoice.
 */
import { UnknownModelError } from '../errors.js';
import { divideHalfAway, parseUsd, type Usd } from '../money.js';

/** Prices of one model per 1,000 tokens. */
export interface ModelPrice {
  readonly input: Usd;
  readonly output: Usd;
}

export interface PriceTable {
  /** Stored in every event that it priced. */
  readonly version: string;
  /** First instant at which it holds; it ends where the next table begins. */
  readonly effectiveFrom: Date;
  readonly models: Readonly<Record<string, ModelPrice>>;
  /** Added to model prices, in percent. */
  readonly markupPercent: number;
  /** Added for each query, without markup. */
  readonly basePerQuery: Usd;
  /** Price of keeping 1e9 bytes for a month of 30 days, without markup. */
  readonly storagePerGbMonth: Usd;
}

/** The prices of the course. */
export const PRICE_TABLES: readonly PriceTable[] = [
  {
    version: '2025-01',
    effectiveFrom: new Date('2025-01-01T00:00:00Z'),
    models: {
      'gpt-4o': { input: parseUsd('0.0025'), output: parseUsd('0.01') },
      'gpt-4o-mini': { input: parseUsd('0.00015'), output: parseUsd('0.0006') },
      'text-embedding-3-small': { input: parseUsd('0.00002'), output: 0n },
    },
    markupPercent: 20,
    basePerQuery: parseUsd('0.001'),
    storagePerGbMonth: parseUsd('0.096'),
  },
];

/** The quantities that a price is asked for. */
export interface Usage {
  /** Needed where there are tokens; work without a model (storage) has none. */
  readonly model?: string | undefined;
  readonly queries: number;
  readonly tokensInput: number;
  readonly tokensOutput: number;
  /** Bytes kept for one day. */
  readonly bytes: number;
}

/**
 * The table in force at an instant.
 *
 * @throws RangeError when the instant lies before the first table or is no valid date.
 * @example priceTableAt(PRICE_TABLES, now) === PRICE_TABLES[0] // true
 */
export function priceTableAt(tables: readonly PriceTable[], instant: Date): PriceTable {
  const at = instant.getTime();
  let inForce: PriceTable | undefined;
  for (const table of tables) {
    const from = table.effectiveFrom.getTime();
    if (from <= at && !(inForce && inForce.effectiveFrom.getTime() > from)) inForce = table;
  }
  if (!inForce) {
    throw new RangeError(
      `Cannot price event: ${Number.isNaN(at) ? 'its date is invalid' : `no price table holds at ${instant.toISOString()}`}`,
    );
  }
  return inForce;
}

/**
 * The cost of an event, rounded once for the whole event, half away from zero, to 1e-8 dollars.
 *
 * @throws UnknownModelError when the table does not price the model, RangeError for a negative or
 *   fractional quantity.
 * @example
 * const usage = { model: 'gpt-4o', queries: 1, tokensInput: 1000, tokensOutput: 500, bytes: 0 };
 * formatUsd(costOf(PRICE_TABLES[0], usage)) // '0.01000000'
 */
export function costOf(table: PriceTable, usage: Usage): Usd {
  for (const name of ['queries', 'tokensInput', 'tokensOutput', 'bytes'] as const) {
    if (!Number.isSafeInteger(usage[name]) || usage[name] < 0) {
      throw new RangeError(
        `Cannot price usage: ${name} must be a whole number of at least 0, current value is ${usage[name]}`,
      );
    }
  }
  const price = priceOf(table, usage.model);
  const tokens = BigInt(usage.tokensInput) * price.input + BigInt(usage.tokensOutput) * price.output;
  const query =
    tokens * BigInt(100 + table.markupPercent) + BigInt(usage.queries) * table.basePerQuery * TOKEN_PARTS;
  if (usage.bytes === 0) return divideHalfAway(query, TOKEN_PARTS);
  // Both parts over one denominator, so that nothing is rounded before the sum.
  const storage = BigInt(usage.bytes) * table.storagePerGbMonth;
  return divideHalfAway(query * STORAGE_PARTS + storage * TOKEN_PARTS, TOKEN_PARTS * STORAGE_PARTS);
}

function priceOf(table: PriceTable, model: string | undefined): ModelPrice {
  if (model === undefined) return { input: 0n, output: 0n };
  // An own property: a model named "constructor" has no price.
  const price = Object.hasOwn(table.models, model) ? table.models[model] : undefined;
  if (!price) throw new UnknownModelError(model, table.version, Object.keys(table.models));
  return price;
}

/** 1,000 tokens times 100 percent. */
const TOKEN_PARTS = 100_000n;
/** 1e9 bytes times 30 days. */
const STORAGE_PARTS = 30_000_000_000n;
