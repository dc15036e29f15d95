/** How a tracker is set, and what it tells of itself. */
import { PRICE_TABLES, type PriceTable } from './costs.js';

export interface UsageTrackerOptions {
  /** File that keeps batches while ClickHouse is away. One tracker at a time can use it. */
  readonly fallbackFile: string;
  /** Every batch goes by way of the file, so that what `durable()` confirmed survives a kill. @default false */
  readonly writeAhead?: boolean;
  /** Waiting events that start a flush. @default 100 */
  readonly batchSize?: number;
  /** Longest time that an event waits for its batch to fill. @default 1000 */
  readonly flushIntervalMs?: number;
  /** Events kept in memory; past it they go to the file at once. @default 50_000 */
  readonly maxBuffered?: number;
  /** @default PRICE_TABLES */
  readonly priceTables?: readonly PriceTable[];
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

export interface TrackerStats {
  /** Events accepted by `track()`. */
  readonly tracked: number;
  /** Events that wait in memory. */
  readonly buffered: number;
  /** Events that ClickHouse confirmed, replayed ones included. */
  readonly stored: number;
  /** Events that went to the file. */
  readonly fellBack: number;
  /** Events that wait in the file, and their size. */
  readonly onDisk: number;
  readonly fallbackBytes: number;
  /** Batches that ClickHouse confirmed. */
  readonly batches: number;
  /** Inserts that failed. */
  readonly failures: number;
  /** Writes to the file that failed. */
  readonly diskFailures: number;
  /** Lines of the file that were no events and were put aside. */
  readonly quarantined: number;
  /** When the oldest event that is not stored was accepted, in epoch milliseconds. */
  readonly oldest: number | undefined;
  /** Why the last insert or write failed, if one did. */
  readonly lastError: string | undefined;
  /** Why the file cannot be written now. */
  readonly diskError: string | undefined;
}

/** A timer cannot wait longer, in milliseconds. */
const LARGEST_OPTION = 2_147_483_647;

/** @throws RangeError for what makes no sense. */
export function trackerOptions(options: UsageTrackerOptions): Required<UsageTrackerOptions> {
  const {
    fallbackFile,
    writeAhead = false,
    batchSize = 100,
    flushIntervalMs = 1_000,
    maxBuffered = 50_000,
    priceTables = PRICE_TABLES,
    now = () => new Date(),
  } = options;
  if (!fallbackFile) throw new RangeError('Cannot make tracker: fallbackFile must name a file');
  for (const [name, value] of Object.entries({ batchSize, flushIntervalMs, maxBuffered })) {
    if (!Number.isInteger(value) || value < 1 || value > LARGEST_OPTION) {
      throw new RangeError(
        `Cannot make tracker: ${name} must be a whole number from 1 to ${LARGEST_OPTION}, current value is ${value}`,
      );
    }
  }
  return { fallbackFile, writeAhead, batchSize, flushIntervalMs, maxBuffered, priceTables, now };
}
