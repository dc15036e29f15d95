import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EncodedBatch, encodeBatch } from '../../src/metering/encode-batch.js';
import { FallbackFile } from '../../src/metering/fallback-file.js';
import { eventIn, eventOf, idOf } from '../support/events.js';

let folder: string;
let path: string;
let file: FallbackFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'groups-'));
  path = join(folder, 'fallback.jsonl');
  file = new FallbackFile(path);
  names = new Map();
});
afterEach(async () => {
  await file.close();
  rmSync(folder, { recursive: true });
});

const batchOf = (number: number): Promise<EncodedBatch> =>
  encodeBatch(idOf(number), [eventOf({ eventId: idOf(number) })]);
const fill = async (...numbers: number[]) => {
  for (const number of numbers) await file.append(await batchOf(number));
};
/** Opens the file as the next process does. */
const reopen = async () => {
  await file.close();
  file = new FallbackFile(path);
};
const numbersIn = (rows: string) =>
  rows
    .trimEnd()
    .split('\n')
    .map((row) => Number(eventIn(row).event_id.slice(-4)));
/** New ids in the order in which they were seen: A, B, … */
let names: Map<string, string>;
const nameOf = (id: string) => {
  if (id.startsWith('00000000')) return Number(id.slice(-4));
  if (!names.has(id)) names.set(id, 'ABC'[names.size] ?? '?');
  return names.get(id);
};
/** What is sent: `batch: events`, by their numbers. */
const replayed = async (send: (batch: EncodedBatch) => Promise<void> = async () => undefined) => {
  const seen: string[] = [];
  await file
    .replay(async (batch) => {
      seen.push(`${nameOf(batch.id)}: ${numbersIn(String(batch.rows))}`);
      await send(batch);
    })
    .catch(() => undefined);
  return seen;
};
const refuse = () => Promise.reject(new Error('no answer'));

describe('FallbackFile, small batches', () => {
  it('sends those that were never sent as one, under one new id', async () => {
    await fill(1, 2, 3);
    expect(await replayed()).toEqual(['A: 1,2,3']);
    expect([file.state.events, statSync(path).size]).toEqual([0, 0]);
  });

  it('sends what came meanwhile after it', async () => {
    await fill(1, 2);
    let more = [3, 4];
    const seen = await replayed(async () => {
      const numbers = more;
      more = [];
      await fill(...numbers);
    });
    expect(seen).toEqual(['A: 1,2', 'B: 3,4']);
  });

  it.each(['same process', 'next process'])(
    'sends the same ones under the same id when the answer was lost: %s',
    async (who) => {
      await fill(1, 2);
      expect(await replayed(refuse)).toEqual(['A: 1,2']);
      await fill(3);
      if (who === 'next process') await reopen();
      expect(await replayed()).toEqual(['A: 1,2', '3: 3']);
    },
  );

  it('leaves a batch alone that was sent alone, also in the next process', async () => {
    await fill(1);
    expect(await replayed(refuse)).toEqual(['1: 1']);
    await fill(2);
    await reopen();
    expect(await replayed()).toEqual(['1: 1', '2: 2']);
  });

  it('leaves a batch alone that ClickHouse refused before it was written', async () => {
    await file.append(await batchOf(1), { tried: true });
    await fill(2, 3);
    await file.append(await batchOf(4), { tried: true });
    await fill(5);
    await reopen();
    expect(await replayed()).toEqual(['1: 1', 'A: 2,3', '4: 4', '5: 5']);
  });

  it('puts at most 50,000 events together', async () => {
    const row = eventOf();
    for (const [number, count] of [20_000, 30_000, 1, 100_000, 1].entries()) {
      await file.append(await encodeBatch(idOf(number + 1), Array<typeof row>(count).fill(row)));
    }
    const counts: number[] = [];
    await file.replay(async ({ count }) => void counts.push(count));
    expect(counts).toEqual([50_000, 1, 100_000, 1]);
  });

  it('sends each alone when one of those that went together was torn: none is dropped as known', async () => {
    await fill(1, 2, 3);
    await replayed(refuse);
    await fill(4);
    await file.close();
    writeFileSync(path, readFileSync(path, 'utf8').replace(`{"batch":"${idOf(2)}"`, '{"batch":#'));
    expect(await replayed()).toEqual(['1: 1', '3: 3', '4: 4']);
  });

  it('keeps those together that went together when the file is written anew', async () => {
    await fill(1, 2);
    expect(await replayed(refuse)).toEqual(['A: 1,2']);
    rmSync(path);
    await fill(3);
    await reopen();
    expect(await replayed()).toEqual(['A: 1,2', '3: 3']);
  });

  it('does not grow for ever while batches come as fast as they are sent', async () => {
    const row = eventOf();
    const { rows } = await encodeBatch(idOf(1), Array<typeof row>(10_000).fill(row));
    let number = 1;
    const add = () => file.append({ id: idOf(number), count: 10_000, oldest: 0, rows });
    await add();
    let largest = 0;
    await file.replay(async () => {
      number += 1;
      if (number <= 30) await add();
      largest = Math.max(largest, statSync(path).size);
    });
    expect([number, largest < 22_000_000]).toEqual([31, true]);
  });
});
