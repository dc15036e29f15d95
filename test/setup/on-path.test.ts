import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const module = new URL('../../.jupyter/setup/on-path.mjs', import.meta.url).href;
const { onPath } = (await import(module)) as { onPath(name: string, path: string): string[] };

describe('onPath()', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'on-path-')));
  const [bin, other, link] = ['bin', 'other', 'link'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  beforeAll(() => {
    for (const place of [bin, other]) {
      mkdirSync(place);
      writeFileSync(join(place, 'tool'), '', { mode: 0o755 });
    }
    writeFileSync(join(bin, 'notes'), '', { mode: 0o644 });
    symlinkSync(bin, link);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds every place, in the order of the folders', () => {
    const path = [other, join(folder, 'nowhere'), '', bin].join(delimiter);
    expect(onPath('tool', path)).toEqual([join(other, 'tool'), join(bin, 'tool')]);
  });

  it('names a folder once that PATH has under two names', () => {
    expect(onPath('tool', [bin, link].join(delimiter))).toEqual([join(bin, 'tool')]);
  });

  it('leaves out what cannot be run', () => {
    expect(onPath('notes', bin)).toEqual([]);
  });
});
