import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EncodedBatch, encodeBatch } from '../../src/metering/encode-batch.js';
import { FallbackFile } from '../../src/metering/fallback-file.js';
import { eventIn, eventOf, idOf } from '../support/events.js';

/** Links to the files that this process has open, on Linux. */
const OPEN_FILES = '/proc/self/fd';

let folder: string;
let path: string;
let file: FallbackFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fallback-'));
  path = join(folder, 'fallback.jsonl');
  file = fileAt(path);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(folder, { recursive: true });
});
const opened: FallbackFile[] = [];
const fileAt = (place: string) => {
  const one = new FallbackFile(place);
  opened.push(one);
  return one;
};

/** Batch 1 has the events 10, 11 and 12, batch 2 the events 20, 21 and 22. */
const batchOf = (number: number): Promise<EncodedBatch> =>
  encodeBatch(
    idOf(number),
    [0, 1, 2].map((event) => eventOf({ eventId: idOf(10 * number + event) })),
  );
/** Writes so many batches, which keep to themselves as they were sent before, and closes the file. */
const written = async (batches: number) => {
  for (let number = 1; number <= batches; number += 1)
    await file.append(await batchOf(number), { tried: true });
  await file.close();
};
/** Does to the file what an editor or a disk might. */
const spoil = (change: (text: string) => string) => {
  const before = readFileSync(path, 'utf8');
  const after = change(before);
  if (after === before) throw new Error('nothing was spoiled');
  writeFileSync(path, after);
};
/** What a new process sends: `batch: events`, by their numbers. */
const replayed = async (fallback = fileAt(path)) => {
  const seen: string[] = [];
  await fallback.replay(async ({ id, count, rows }) => {
    const events = String(rows).trimEnd().split('\n');
    if (events.length !== count) throw new Error(`${count} said, ${events.length} sent`);
    seen.push(`${Number(id.slice(-4))}: ${events.map((row) => Number(eventIn(row).event_id.slice(-4)))}`);
  });
  return seen;
};
const quarantined = () =>
  readFileSync(file.quarantine, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { reason: string; line: string });
const rowOf = (text: string, event: number) =>
  text.split('\n').find((line) => line.startsWith(`["acme-corp","${idOf(event)}",`)) ?? '';

describe('FallbackFile, spoiled', () => {
  it('keeps the whole lines of a batch cut short, under its id, and puts half a line aside', async () => {
    await written(2);
    spoil((text) => text.slice(0, -40));
    expect(await replayed()).toEqual(['1: 10,11,12', '2: 20,21']);
    expect(quarantined()).toEqual([
      {
        reason: `batch ${idOf(2)} is cut short: 2 of 3 events are whole`,
        line: String((await batchOf(2)).rows)
          .split('\n')[2]
          ?.slice(0, -39),
      },
    ]);
  });

  it('keeps all events of a batch that only lacks its last line’s end', async () => {
    await written(1);
    spoil((text) => text.slice(0, -1));
    expect(await replayed()).toEqual(['1: 10,11,12']);
  });

  it('puts half a header aside', async () => {
    await written(2);
    spoil((text) => text.slice(0, text.indexOf(`{"batch":"${idOf(2)}`) + 30));
    expect(await replayed()).toEqual(['1: 10,11,12']);
    expect(quarantined()).toEqual([
      { reason: 'no batch begins here', line: '{"batch":"00000000-0000-4000-8' },
    ]);
  });

  it('does not glue a new batch to half a line', async () => {
    await written(1);
    spoil((text) => text.slice(0, -40));
    const next = fileAt(path);
    await next.append(await batchOf(2), { tried: true });
    await next.close();
    expect(await replayed()).toEqual(['1: 10,11', '2: 20,21,22']);
  });

  it('goes on behind garbage between two batches', async () => {
    await written(2);
    spoil((text) => text.replace(`{"batch":"${idOf(2)}`, `g\u0000rbage\nand more\n{"batch":"${idOf(2)}`));
    expect(await replayed()).toEqual(['1: 10,11,12', '2: 20,21,22']);
    expect(quarantined()).toEqual([
      { reason: 'no batch begins here', line: 'g\u0000rbage' },
      { reason: 'no batch begins here', line: 'and more' },
    ]);
  });

  it.each([
    '{}',
    '{"sent":7}',
    '{"batch":"x"}',
    '[]',
    'null',
    '7',
    '{"tenant_id":"acme-corp"}',
    '["acme-corp"]',
  ])('puts %s aside, which is JSON and no event, and stores the rest', async (line) => {
    await written(2);
    spoil((text) => text.replace(rowOf(text, 11), line.padEnd(rowOf(text, 11).length)));
    expect(await replayed()).toEqual(['1: 10,12', '2: 20,21,22']);
    expect(quarantined().map(({ reason, line: kept }) => [reason, kept.trimEnd()])).toEqual([
      [`no event of batch ${idOf(1)}`, line],
    ]);
  });

  it.each([
    ['shorter', 3],
    ['longer', 600],
  ])('finds the next batch behind a line that became %s', async (_name, length) => {
    await written(2);
    spoil((text) => text.replace(rowOf(text, 11), '#'.repeat(length)));
    expect(await replayed()).toEqual(['2: 20,21,22', '1: 10,12']);
    expect(quarantined()).toEqual([
      { reason: `batch ${idOf(1)} is cut short: 2 of 3 events are whole`, line: '#'.repeat(length) },
    ]);
  });

  it('puts a spoiled line aside once, however often the replay stops before it', async () => {
    await written(1);
    spoil((text) => text.replace(rowOf(text, 11), '{}'.padEnd(rowOf(text, 11).length)));
    const later = fileAt(path);
    for (let time = 1; time <= 3; time += 1) {
      await later.replay(() => Promise.reject(new Error('away'))).catch(() => undefined);
    }
    expect(later.state.quarantined).toBe(0);
    expect(await replayed(later)).toEqual(['1: 10,12']);
    expect([quarantined().length, later.state.quarantined]).toEqual([1, 1]);
  });

  it.skipIf(!existsSync(OPEN_FILES))('leaves no file open when the repair fails', async () => {
    await written(1);
    spoil((text) => text.slice(0, -40));
    const handles = () =>
      readdirSync(OPEN_FILES).filter((handle) => {
        const place = join(OPEN_FILES, handle);
        return existsSync(place) && readlinkSync(place).startsWith(folder);
      });
    mkdirSync(`${path}.repaired`);
    const later = fileAt(path);
    await expect(later.replay(() => Promise.resolve())).rejects.toThrow('EISDIR');
    expect(handles()).toEqual([]);
    rmdirSync(`${path}.repaired`);
    expect(await replayed(later)).toEqual(['1: 10,11']);
    expect(handles()).toHaveLength(1);
  });

  it('sends nothing of a batch without one event', async () => {
    await written(2);
    spoil((text) => {
      const [header = '', ...lines] = text.split('\n');
      return [header, ...lines.map((line, at) => (at < 3 ? '{}'.padEnd(line.length) : line))].join('\n');
    });
    expect(await replayed()).toEqual(['2: 20,21,22']);
    expect(quarantined()).toHaveLength(3);
  });
});
