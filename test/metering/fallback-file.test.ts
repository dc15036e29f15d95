import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EncodedBatch, encodeBatch } from '../../src/metering/encode-batch.js';
import { FallbackFile } from '../../src/metering/fallback-file.js';
import { eventOf, idOf, NOW } from '../support/events.js';

let folder: string;
let path: string;
let file: FallbackFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fallback-'));
  path = join(folder, 'deep', 'fallback.jsonl');
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

const batchOf = (number: number): Promise<EncodedBatch> =>
  encodeBatch(idOf(number), [eventOf({ eventId: idOf(number) })]);
/** Batches that were sent before: each keeps to itself. */
const fill = async (...numbers: number[]) => {
  for (const number of numbers) await file.append(await batchOf(number), { tried: true });
};
/** Opens the file as the next process does. */
const reopened = async () => {
  await file.close();
  return fileAt(path);
};
/** Takes batches and notes their ids; refuses that of number `refused`. */
const receiver = (refused?: number) => {
  const batches: EncodedBatch[] = [];
  const send = async (batch: EncodedBatch) => {
    if (refused !== undefined && batch.id === idOf(refused)) throw new Error('refused');
    batches.push(batch);
  };
  return { batches, ids: () => batches.map(({ id }) => id), send };
};
const text = () => readFileSync(path, 'utf8');

describe('FallbackFile', () => {
  it('is empty before anything was written', async () => {
    const { ids, send } = receiver();
    await file.replay(send);
    expect(ids()).toEqual([]);
    expect(file.state).toEqual({ events: 0, bytes: 0, oldest: undefined, quarantined: 0 });
  });

  it('has a header with the batch’s id and size, and the events as lines', async () => {
    await fill(1);
    const [header = '', row] = text().split('\n');
    const { rows } = await batchOf(1);
    expect(JSON.parse(header)).toMatchObject({
      batch: idOf(1),
      events: 1,
      bytes: rows.length,
      oldest: NOW.getTime(),
    });
    expect(`${row}\n`).toBe(String(rows));
  });

  it('hands over what was written, oldest first, byte for byte, and forgets it', async () => {
    await fill(1, 2, 3);
    const { batches, send } = receiver();
    const later = await reopened();
    await later.replay(send);
    expect(batches).toEqual([await batchOf(1), await batchOf(2), await batchOf(3)]);
    expect(later.state).toEqual({ events: 0, bytes: 0, oldest: undefined, quarantined: 0 });
    expect(text()).toBe('');
  });

  it('says what waits', async () => {
    await fill(1, 2);
    const { size } = statSync(path);
    const state = { events: 2, bytes: size, oldest: NOW.getTime(), quarantined: 0 };
    expect(file.state).toEqual(state);
    const later = await reopened();
    await later.open();
    expect(later.state).toEqual(state);
  });

  it('keeps the order of appends that were not awaited', async () => {
    const batches = await Promise.all([1, 2, 3, 4].map(batchOf));
    await Promise.all(batches.map((batch) => file.append(batch, { tried: true })));
    const { ids, send } = receiver();
    await file.replay(send);
    expect(ids()).toEqual([1, 2, 3, 4].map(idOf));
  });

  it('stops at a refusal, and begins there the next time', async () => {
    await fill(1, 2, 3);
    const [first, second] = [receiver(2), receiver()];
    await expect(file.replay(first.send)).rejects.toThrow('refused');
    await fill(4);
    await file.replay(second.send);
    expect([first.ids(), second.ids()]).toEqual([[idOf(1)], [2, 3, 4].map(idOf)]);
  });

  it('marks what was sent, so that a killed process’s successor goes on behind it', async () => {
    await fill(1, 2, 3);
    await expect(file.replay(receiver(3).send)).rejects.toThrow('refused');
    const { ids, send } = receiver();
    await (await reopened()).replay(send);
    expect(ids()).toEqual([idOf(3)]);
  });

  it('hands a batch over again when its mark was lost', async () => {
    await fill(1, 2);
    const whole = statSync(path).size;
    await expect(file.replay(receiver(2).send)).rejects.toThrow('refused');
    truncateSync(path, whole);
    const { batches, send } = receiver();
    await (await reopened()).replay(send);
    expect(batches).toEqual([await batchOf(1), await batchOf(2)]);
  });

  it('goes on behind half a mark', async () => {
    await fill(1, 2);
    await expect(file.replay(receiver(2).send)).rejects.toThrow('refused');
    truncateSync(path, statSync(path).size - 5);
    const { ids, send } = receiver();
    await (await reopened()).replay(send);
    expect(ids()).toEqual([1, 2].map(idOf));
  });

  it('replays three hundred batches in order, and those that come meanwhile', async () => {
    const numbers = Array.from({ length: 300 }, (_, index) => index + 1);
    await fill(...numbers);
    const later = await reopened();
    const { ids, send } = receiver();
    await later.replay(async (batch) => {
      if (batch.id === idOf(150)) await later.append(await batchOf(301));
      await send(batch);
    });
    expect(ids()).toEqual([...numbers, 301].map(idOf));
    expect(text()).toBe('');
  });

  it('goes on after an append that failed', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where the folder should be');
    await expect(file.append(await batchOf(1))).rejects.toThrow(/EEXIST|ENOTDIR/);
    rmSync(join(folder, 'deep'));
    await fill(2);
    const { ids, send } = receiver();
    await file.replay(send);
    expect(ids()).toEqual([idOf(2)]);
  });
});
