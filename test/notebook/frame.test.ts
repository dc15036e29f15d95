import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frame } from '../../src/notebook/frame.js';
import { table } from '../../src/notebook/table.js';
import { inKernel } from './kernel-stub.js';

const rows = [
  { tenant: 'acme-corp', queries: 10, cost: '0.01000000' },
  { tenant: 'beta-inc', queries: 4, cost: '0.00400000' },
  { tenant: 'acme-corp', queries: 7n, cost: '0.00700000' },
];

describe('frame()', () => {
  it('sums groups', async () => {
    const sums = (await frame(rows)).groupby(['tenant']).col(['queries']).sum();
    expect(sums.columns).toEqual(['tenant', 'queries_sum']);
    expect(sums.values).toEqual([
      ['acme-corp', 17],
      ['beta-inc', 4],
    ]);
  });

  it('aggregates groups in several ways', async () => {
    const result = (await frame(rows)).groupby(['tenant']).agg({ queries: ['max', 'count'] });
    expect(result.columns).toEqual(['tenant', 'queries_max', 'queries_count']);
    expect(result.values[0]).toEqual(['acme-corp', 10, 2]);
  });

  it('finds rows by a condition', async () => {
    const usage = await frame(rows);
    const found = usage.query(usage.column('queries').gt(5).and(usage.column('tenant').eq('acme-corp')));
    expect(found.values.map((row) => row[1])).toEqual([10, 7]);
  });

  it('sorts and cuts', async () => {
    const sorted = (await frame(rows)).sortValues('queries', { ascending: false }).head(2);
    expect(sorted.values.map((row) => row[1])).toEqual([10, 7]);
  });

  it('describes numbers and leaves exact decimals out', async () => {
    const described = (await frame(rows)).describe();
    expect(described.columns).toEqual(['queries']);
    expect(described.index).toEqual(['count', 'mean', 'std', 'min', 'median', 'max', 'variance']);
    expect(described.values.map((row) => row[0])).toEqual([3, 7, 3, 4, 7, 10, 9]);
  });

  it('loads mathjs as one file, and not as several hundred', async () => {
    await frame(rows);
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    expect(loaded.filter((file) => file.includes(join('mathjs', 'lib', 'cjs')))).toHaveLength(1);
  });

  it('refuses to add money up', async () => {
    const groups = (await frame(rows)).groupby(['tenant']).col(['cost']);
    expect(() => groups.sum()).toThrow("Can't perform math operation on column cost");
  });

  it('puts a missing value where its column is', async () => {
    expect((await frame([{ a: 1 }, { b: 2 }])).values).toEqual([
      [1, Number.NaN],
      [Number.NaN, 2],
    ]);
  });

  it('refuses a bigint that is no exact number', async () => {
    await expect(frame([{ tokens: 2n ** 60n }])).rejects.toThrow(
      new RangeError('Cannot put 1152921504606846976 in a frame: it is too large for an exact number'),
    );
  });

  it('is shown by table(), with its labels where they are names', async () => {
    const sent = inKernel();
    table((await frame(rows)).describe(), { maxRows: 2 });
    expect(sent[0]?.content.data['text/plain']).toBe(
      '       queries\n─────  ───────\ncount        3\nmean         7\n… and 5 more rows',
    );
  });
});
