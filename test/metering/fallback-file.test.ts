import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FallbackFile } from '../../src/metering/fallback-file.js';
import type { Batch } from '../../src/metering/insert-events.js';
import { eventOf, idOf } from '../support/events.js';

let folder: string;
let path: string;
let file: FallbackFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fallback-'));
  path = join(folder, 'deep', 'fallback.jsonl');
  file = new FallbackFile(path);
});
afterEach(() => rmSync(folder, { recursive: true }));

const batchOf = (number: number): Batch => ({
  id: idOf(number),
  events: [eventOf({ eventId: idOf(number) })],
});
const fill = async (...numbers: number[]) => {
  for (const number of numbers) await file.append(batchOf(number));
};
/** Takes batches and notes their ids; refuses that of number `refused`. */
const receiver = (refused?: number) => {
  const ids: string[] = [];
  const send = async ({ id }: Batch) => {
    if (refused !== undefined && id === idOf(refused)) throw new Error('refused');
    ids.push(id);
  };
  return { ids, send };
};

describe('FallbackFile', () => {
  it('is empty before anything was written', async () => {
    expect([await file.size(), await file.replay(receiver().send)]).toEqual([0, 0]);
  });

  it('hands over what was written, oldest first, byte for byte, and forgets it', async () => {
    await fill(1, 2, 3);
    const batches: Batch[] = [];
    expect(await new FallbackFile(path).replay(async (batch) => void batches.push(batch))).toBe(3);
    expect(batches).toEqual([1, 2, 3].map(batchOf));
    expect(await file.size()).toBe(0);
  });

  it('keeps the order of appends that were not awaited', async () => {
    await Promise.all([1, 2, 3, 4].map((number) => file.append(batchOf(number))));
    const { ids, send } = receiver();
    await file.replay(send);
    expect(ids).toEqual([1, 2, 3, 4].map(idOf));
  });

  it('stops at a refusal, and begins there the next time', async () => {
    await fill(1, 2, 3);
    const [first, second] = [receiver(2), receiver()];
    await expect(file.replay(first.send)).rejects.toThrow('refused');
    await fill(4);
    expect(await file.replay(second.send)).toBe(3);
    expect([first.ids, second.ids]).toEqual([[idOf(1)], [2, 3, 4].map(idOf)]);
  });

  it('takes up the part that a killed process was replaying before the newer one', async () => {
    await fill(1);
    await expect(file.replay(receiver(1).send)).rejects.toThrow('refused');
    await fill(2);
    const { ids, send } = receiver();
    await new FallbackFile(path).replay(send);
    expect(ids).toEqual([idOf(1), idOf(2)]);
  });

  it('sets a half-written last line aside and keeps the others', async () => {
    await fill(1, 2);
    truncateSync(path, readFileSync(path).length - 40);
    const { ids, send } = receiver();
    expect(await file.replay(send)).toBe(1);
    expect(ids).toEqual([idOf(1)]);
    expect(readFileSync(file.quarantine, 'utf8')).toMatch(new RegExp(`^\\{"id":"${idOf(2)}".*[^}]\\n$`));
  });

  it('does not glue a new batch to half a line', async () => {
    await fill(1);
    truncateSync(path, readFileSync(path).length - 40);
    await new FallbackFile(path).append(batchOf(2));
    const { ids, send } = receiver();
    await file.replay(send);
    expect(ids).toEqual([idOf(2)]);
  });

  it('takes a whole last line that only lacks its end', async () => {
    await fill(1);
    truncateSync(path, readFileSync(path).length - 1);
    const { ids, send } = receiver();
    await file.replay(send);
    expect(ids).toEqual([idOf(1)]);
  });

  it('sets a bad line aside once, however often the replay stops behind it', async () => {
    await fill(1);
    writeFileSync(path, `not json\n${readFileSync(path, 'utf8')}`);
    for (let time = 1; time <= 3; time += 1) await file.replay(receiver(1).send).catch(() => undefined);
    expect(readFileSync(file.quarantine, 'utf8')).toBe('not json\n');
  });

  it.each(['null', '7', '[]', '{}', '{"id":1,"events":[]}', '{"id":"x"}', '{"id":"x","events":{}}'])(
    'sets %s aside, which is JSON and no batch',
    async (line) => {
      await fill(1);
      writeFileSync(path, `${line}\n`);
      expect(await file.replay(receiver().send)).toBe(0);
      expect(readFileSync(file.quarantine, 'utf8')).toBe(`${line}\n`);
    },
  );

  it('goes on after an append that failed', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where the folder should be');
    await expect(file.append(batchOf(1))).rejects.toThrow(/EEXIST|ENOTDIR/);
    rmSync(join(folder, 'deep'));
    await fill(2);
    const { ids, send } = receiver();
    await file.replay(send);
    expect(ids).toEqual([idOf(2)]);
  });
});
