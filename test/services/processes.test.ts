import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupOf, processesOf, servicesChild } from '../support/services-child.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'processes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Longest time that a server may take to end after its process did. */
const patience = { timeout: 10_000, interval: 20 };

describe('openServices(), in processes', () => {
  it('gives each of several at once engines and a folder of its own', async () => {
    const children = await Promise.all([1, 2, 3].map(() => servicesChild(folder, 'same')));
    expect(children.map(({ clickhouse, redis }) => [clickhouse, redis])).toEqual(
      [1, 2, 3].map(() => ['embedded', 'embedded']),
    );
    expect(new Set(children.map(({ path }) => path)).size).toBe(3);
    expect(await Promise.all(children.map(({ end }) => end()))).toEqual([0, 0, 0]);
    expect(readdirSync(folder)).toEqual(['same']);
    expect(children.flatMap(({ redisPid }) => processesOf(folder, redisPid))).toEqual([]);
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('leaves no redis-server after %s', async (signal) => {
    const child = await servicesChild(folder, 'killed');
    expect(processesOf(folder, child.redisPid).length).toBeGreaterThanOrEqual(3);
    await child.kill(signal);
    await expect.poll(() => processesOf(folder, child.redisPid), patience).toEqual([]);
  });

  it('keeps redis-server out of the group that an interrupt goes to', async () => {
    const child = await servicesChild(folder, 'grouped');
    expect(groupOf(child.pid)).toBe(groupOf(process.pid));
    expect(groupOf(child.redisPid)).not.toBe(groupOf(child.pid));
    await child.end();
  });

  it('leaves no redis-server when a process exits without closing', async () => {
    const child = await servicesChild(folder, 'careless', { exit: true });
    await child.end();
    await expect.poll(() => processesOf(folder, child.redisPid), patience).toEqual([]);
  });

  it('gives the first folder, with its data, to the next opener after a kill, and sweeps the others', async () => {
    const [holder, second] = [await servicesChild(folder, 'taken'), await servicesChild(folder, 'taken')];
    expect([holder.path, second.path]).toEqual([join(folder, 'taken'), join(folder, 'taken.2')]);
    await Promise.all([holder.kill('SIGKILL'), second.kill('SIGKILL')]);
    const next = await servicesChild(folder, 'taken');
    expect([next.path, next.seen, next.redis]).toEqual([join(folder, 'taken'), 2, 'embedded']);
    expect(readdirSync(folder)).toEqual(['taken']);
    expect(await next.end()).toBe(0);
  });
});
