import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeBatch } from '../../src/metering/encode-batch.js';
import { FallbackFile } from '../../src/metering/fallback-file.js';
import { eventOf, eventsIn, idOf } from '../support/events.js';

let folder: string;
let path: string;
let file: FallbackFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'in-use-'));
  path = join(folder, 'deep', 'fallback.jsonl');
  file = new FallbackFile(path);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await file.close();
  rmSync(folder, { recursive: true });
});

const fill = async (number: number) =>
  file.append(await encodeBatch(idOf(number), [eventOf({ eventId: idOf(number) })]), { tried: true });
const written = () => eventsIn(readFileSync(path, 'utf8')).map(({ event_id }) => event_id);
/** What the next process sends: ids of batches. */
const replayed = async () => {
  await file.close();
  file = new FallbackFile(path);
  const ids: string[] = [];
  const counts: number[] = [];
  await file.replay(async ({ id, count }) => {
    ids.push(id);
    counts.push(count);
  });
  return { ids, counts };
};
const spoil = async (change: (text: string) => string) => {
  await file.close();
  writeFileSync(path, change(readFileSync(path, 'utf8')));
};
const quarantined = () => readFileSync(file.quarantine, 'utf8').trimEnd().split('\n');

describe('FallbackFile, one user at a time', () => {
  it('refuses a second one, which names the file, and lets it in after the first closed', async () => {
    await fill(1);
    const second = new FallbackFile(path);
    await expect(second.open()).rejects.toThrow(`Cannot open ${path}: another tracker has it open`);
    await fill(2);
    expect(written()).toEqual([1, 2].map(idOf));
    await file.close();
    await second.open();
    expect(second.state.events).toBe(2);
    await second.close();
  });

  it('takes over from a process that is gone', async () => {
    await fill(1);
    await file.close();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(`${path}.lock`, JSON.stringify({ pid, started: 'then' }));
    expect((await replayed()).ids).toEqual([idOf(1)]);
  });

  it('syncs each batch before it says that it is on the disk', async () => {
    const probe = await open(join(folder, 'probe'), 'w');
    const sync = vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'datasync');
    await probe.close();
    for (const times of [1, 2]) {
      await fill(times);
      expect(sync).toHaveBeenCalledTimes(times);
    }
  });
});

describe('FallbackFile, removed while it is in use', () => {
  it.each(['deep/fallback.jsonl', 'deep'])('is written again with all that waits: %s', async (removed) => {
    await fill(1);
    await fill(2);
    rmSync(join(folder, removed), { recursive: true });
    await fill(3);
    expect(written()).toEqual([1, 2, 3].map(idOf));
    expect((await replayed()).ids).toEqual([1, 2, 3].map(idOf));
  });

  it('does not write over a file that took its place', async () => {
    await fill(1);
    rmSync(path);
    writeFileSync(path, 'of somebody else');
    await expect(fill(2)).rejects.toThrow(`Cannot write ${path}: another file has taken its place`);
    expect(readFileSync(path, 'utf8')).toBe('of somebody else');
  });
});

describe('FallbackFile, changed', () => {
  beforeEach(async () => {
    await fill(1);
    await fill(2);
  });

  it('gives a batch a new id whose own is none, and sends what is behind it', async () => {
    await spoil((text) => text.replace(`{"batch":"${idOf(1)}`, '{"batch":"x'));
    const { ids, counts } = await replayed();
    expect([ids[0], ids[1], counts]).toEqual([idOf(2), expect.stringMatching(/^[0-9a-f-]{36}$/), [1, 1]]);
  });

  it.each([
    ['a cost', '"0.00142000"', '"9.00142000"'],
    ['a cost, longer', '"0.00142000"', '"90.00142000"'],
    ['a tenant', '["acme-corp"', '["acme-corq"'],
  ])('believes no event of a batch in which somebody changed %s', async (_what, from, to) => {
    await spoil((text) => text.replace(from, to));
    expect((await replayed()).ids).toEqual([idOf(2)]);
    expect([quarantined().length, quarantined()[0]?.includes(JSON.stringify(to).slice(1, -1))]).toEqual([
      1,
      true,
    ]);
  });

  it('sends the events that are there, whatever number the header says', async () => {
    await spoil((text) => text.replace('"events":1', '"events":0'));
    expect(await replayed()).toEqual({ ids: [1, 2].map(idOf), counts: [1, 1] });
  });

  it('keeps every event of a file that got other line ends', async () => {
    await spoil((text) => text.replaceAll('\n', '\r\n'));
    expect(await replayed()).toEqual({ ids: [1, 2].map(idOf), counts: [1, 1] });
  });

  it('finds the batches behind more than 2 GB of nothing', async () => {
    await file.close();
    const text = readFileSync(path);
    writeFileSync(path, 'x\n');
    truncateSync(path, 2_200_000_000);
    writeFileSync(path, Buffer.concat([Buffer.from('\n'), text]), { flag: 'a' });
    expect((await replayed()).ids).toEqual([1, 2].map(idOf));
    expect(quarantined()[1]).toMatch(/ \(2199999998 bytes\)"\}$/);
  });

  it('says what waits also while nothing can be put aside, and sends it then', async () => {
    await spoil((text) => `${text}garbage\n`);
    mkdirSync(file.quarantine);
    await expect(replayed()).rejects.toThrow('EISDIR');
    expect(file.state.events).toBe(2);
    rmdirSync(file.quarantine);
    expect((await replayed()).ids).toEqual([1, 2].map(idOf));
  });
});
