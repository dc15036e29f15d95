/**
 * Random kills: a process tracks with write-ahead over HTTP, and is ended by SIGKILL at any moment
 * while the front refuses, cuts, delays, and fails after storing. What `durable()` confirmed must
 * be everywhere exactly once.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareRollups } from '../../src/metering/compare-rollups.js';
import { encodeRow, type UsageEvent } from '../../src/metering/event.js';
import type { EventInput } from '../../src/metering/event-input.js';
import { DAY_MS, parseMonth } from '../../src/period.js';
import type { Fault } from '../support/clickhouse-front.js';
import { eventOf, idOf, NOW } from '../support/events.js';
import { openFronted } from '../support/fronted.js';
import { type Seeded, seeded } from '../support/seeded.js';
import { trackingChild } from '../support/tracking-child.js';
import { disagreements } from './agreement.js';

const FAULTS: readonly Fault[] = ['refuse', '500', '500-after-storing', 'cut-after-storing', 'slow'];

export interface CrashOptions {
  readonly seed: number;
  readonly kills: number;
  /** Takes a line of progress. */
  readonly say?: (line: string) => void;
}

export interface CrashResult {
  readonly confirmed: number;
  /** Handed over and not confirmed before the kill: each may be stored, once. */
  readonly unconfirmed: number;
  readonly unconfirmedStored: number;
  /** Inserts that reached the front, and faults that met one. */
  readonly inserts: number;
  readonly faults: number;
  /** Half-written batches that were put at the file's end. */
  readonly torn: number;
  /** A sentence for each event or sum that is wrong. */
  readonly problems: readonly string[];
}

/** @example const { problems } = await crash({ seed: 1, kills: 200, say: console.log }); */
export async function crash({ seed, kills, say = () => undefined }: CrashOptions): Promise<CrashResult> {
  const random = seeded(seed);
  const engine = await openFronted();
  const { front, folder } = engine;
  const fallbackFile = join(folder, 'fallback.jsonl');
  const confirmed = new Map<string, UsageEvent>();
  const unconfirmed = new Map<string, UsageEvent>();
  let [faults, torn] = [0, 0];
  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      front.faults.splice(0, Infinity, ...someFaults(random));
      faults += front.faults.length;
      const options = { flushIntervalMs: 1 + random.below(30), batchSize: 1 + random.below(40) };
      const child = await trackingChild({ url: front.url, fallbackFile, timeoutMs: 150, ...options });
      const killed = sleep(random.below(400)).then(() => child.kill());
      for (let alive = true; alive; ) {
        const inputs = someEvents(random, confirmed.size + unconfirmed.size);
        const answer = await child.track(inputs);
        const fate = answer && answer.problem === undefined ? confirmed : unconfirmed;
        for (const input of inputs) fate.set(input.eventId ?? '', eventOf(input));
        alive = answer !== undefined;
        if (random.chance(0.5)) await sleep(random.below(15));
      }
      await killed;
      faults -= front.faults.length;
      front.release();
      if (random.chance(0.15)) torn += tear(fallbackFile, random);
      if (kill % 20 === 0 || kill === kills)
        say(`${kill} of ${kills} kills, ${confirmed.size} events confirmed`);
    }
    front.faults.length = 0;
    const last = await trackingChild({ url: front.url, fallbackFile, timeoutMs: 30_000 });
    const end = await last.close();
    const problems =
      end?.stats.onDisk === 0 ? [] : [`the last process left ${end?.stats.onDisk} events on the disk`];
    const rows = await engine.rows<{ id: string; n: number }>(`
      SELECT toString(event_id) AS id, count() AS n
      FROM usage_events
      GROUP BY id`);
    const stored = new Map(rows.map(({ id, n }) => [id, n]));
    for (const [id, n] of stored) {
      if (n !== 1) problems.push(`${id} is stored ${n} times`);
      if (!confirmed.has(id) && !unconfirmed.has(id)) problems.push(`${id} was never tracked`);
    }
    for (const id of confirmed.keys()) if (!stored.has(id)) problems.push(`${id} was confirmed and is lost`);
    const reference = [...confirmed, ...unconfirmed].flatMap(([id, event]) =>
      stored.has(id) ? [event] : [],
    );
    problems.push(...(await disagreements(engine, { reference, month: '2025-11' })));
    for (const name of ['2025-10', '2025-11']) {
      const differing = await compareRollups(engine.clickhouse, { month: parseMonth(name) });
      problems.push(
        ...differing.map(({ table, tenantId, day }) => `${table}, ${tenantId}, ${day}: compared, it differs`),
      );
    }
    const unconfirmedStored = [...unconfirmed.keys()].filter((id) => stored.has(id)).length;
    const counts = { confirmed: confirmed.size, unconfirmed: unconfirmed.size, unconfirmedStored };
    return { ...counts, inserts: front.inserts(), faults, torn, problems };
  } finally {
    await engine.close();
  }
}

const someFaults = (random: Seeded): Fault[] =>
  random.chance(0.3) ? [] : Array.from({ length: 1 + random.below(4) }, () => random.pick(FAULTS));

/** Of two tenants and the last weeks: October's are late, and on November's invoice as well. */
const someEvents = (random: Seeded, first: number): EventInput[] =>
  Array.from({ length: 1 + random.below(20) }, (_, index) => ({
    tenantId: random.pick(['acme-corp', 'beta-inc']),
    eventId: idOf(first + index),
    timestamp: new Date(NOW.getTime() - random.below(25 * DAY_MS)),
    model: random.pick(['gpt-4o', 'gpt-4o-mini']),
    tokensInput: random.below(5_000),
    tokensOutput: random.below(1_000),
  }));

/** A write that a kill of the machine would leave: never confirmed, and never whole. */
function tear(file: string, random: Seeded): number {
  const header = { batch: randomUUID(), events: 2, bytes: 274, crc: 1, oldest: NOW.getTime() };
  const batch = `${JSON.stringify(header)}\n${encodeRow(eventOf())}`;
  appendFileSync(file, batch.slice(0, 1 + random.below(batch.length - 1)));
  return 1;
}
