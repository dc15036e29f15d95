/** Four writers send every event one to four times, in random order and batches, over a bad line. */
import { randomUUID } from 'node:crypto';
import { compareRollups } from '../../src/metering/compare-rollups.js';
import { type EncodedBatch, encodeBatch } from '../../src/metering/encode-batch.js';
import type { UsageEvent } from '../../src/metering/event.js';
import { insertBatch } from '../../src/metering/insert-batch.js';
import { rebuildRollups } from '../../src/metering/rebuild-rollups.js';
import { DAY_MS, parseMonth } from '../../src/period.js';
import { eventOf, idOf, NOW } from '../support/events.js';
import { openFronted } from '../support/fronted.js';
import { type Seeded, seeded } from '../support/seeded.js';
import { disagreements } from './agreement.js';

export interface WritersOptions {
  readonly seed: number;
  readonly events: number;
  /** @default a fortieth of the events: some two hundred batches */
  readonly largestBatch?: number;
}

export interface WritersResult {
  /** Copies that were sent, of all events. */
  readonly sent: number;
  readonly batches: number;
  /** Inserts that failed and were repeated under their id. */
  readonly failures: number;
  /** Days of a tenant and a rollup that had to be rebuilt. */
  readonly rebuilt: number;
  /** What is wrong with events and invoice before the repair. */
  readonly before: readonly string[];
  /** What is wrong with anything after it. */
  readonly after: readonly string[];
}

const MONTH = parseMonth('2025-11');

/** @example const { before, after } = await fourWriters({ seed: 1, events: 100_000 }); */
export async function fourWriters({
  seed,
  events,
  largestBatch = Math.max(10, events / 40),
}: WritersOptions): Promise<WritersResult> {
  const random = seeded(seed);
  const engine = await openFronted();
  try {
    const reference = Array.from({ length: events }, (_, number) => someEvent(random, number));
    const copies = random.shuffle(reference.flatMap((event) => copiesOf(random, event)));
    const batches: EncodedBatch[] = [];
    for (let start = 0, size = 0; start < copies.length; start += size) {
      size = 1 + random.below(largestBatch);
      batches.push(await encodeBatch(randomUUID(), copies.slice(start, start + size)));
    }
    let failures = 0;
    const queue = [...batches];
    const write = async () => {
      const client = engine.client();
      for (let batch = queue.shift(); batch; batch = queue.shift()) {
        if (random.chance(0.2))
          engine.front.faults.push(random.pick(['refuse', '500-after-storing', 'cut-after-storing']));
        for (let stored = false; !stored; ) {
          stored = await insertBatch(client, batch).then(
            () => true,
            () => false,
          );
          if (!stored) failures += 1;
        }
      }
    };
    await Promise.all([write(), write(), write(), write()]);
    const isOfRollup = (problem: string) => /^usage_(hourly|daily)/.test(problem);
    const before = (await disagreements(engine, { reference, month: MONTH.name })).filter(
      (problem) => !isOfRollup(problem),
    );
    const differences = await compareRollups(engine.clickhouse, { month: MONTH });
    await rebuildRollups(engine.clickhouse, { month: MONTH, differences });
    const after = await disagreements(engine, { reference, month: MONTH.name });
    const left = await compareRollups(engine.clickhouse, { month: MONTH });
    after.push(...left.map(({ table, tenantId, day }) => `${table}, ${tenantId}, ${day} still differs`));
    return {
      sent: copies.length,
      batches: batches.length,
      failures,
      rebuilt: differences.length,
      before,
      after,
    };
  } finally {
    await engine.close();
  }
}

const someEvent = (random: Seeded, number: number): UsageEvent => {
  const timestamp = new Date(NOW.getTime() - random.below(5 * DAY_MS));
  const usage = { tokensInput: random.below(5_000), tokensOutput: random.below(1_000) };
  return eventOf({
    tenantId: random.pick(['acme-corp', 'beta-inc', 'charlie-co']),
    eventId: idOf(number),
    timestamp,
    ...usage,
  });
};

/** A caller that repeats itself: the same event, accepted again a little later. */
const copiesOf = (random: Seeded, event: UsageEvent): UsageEvent[] =>
  Array.from({ length: 1 + random.below(4) }, (_, copy) => ({
    ...event,
    created_at: event.created_at + copy,
  }));
