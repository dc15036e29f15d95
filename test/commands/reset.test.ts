import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ProjectCopy, projectCopy } from '../support/project-copy.js';

let copy: ProjectCopy;
beforeAll(() => {
  copy = projectCopy();
});
afterAll(() => copy.remove());
beforeEach(() => {
  for (const name of ['busy', 'one', 'two']) mkdirSync(join(copy.folder, '.data', name), { recursive: true });
  writeFileSync(join(copy.folder, '.data', 'busy', 'lock'), JSON.stringify({ pid: process.pid }));
});

const reset = (...args: string[]) => copy.run('.build/commands/reset.js', args);
const left = () => readdirSync(join(copy.folder, '.data')).sort();

describe('npm run reset', () => {
  it('removes all workspaces that nobody uses, and then has nothing to do', async () => {
    expect(await reset()).toEqual({
      code: 0,
      printed: 'removed .data/one\nremoved .data/two\nleft .data/busy, which a process uses\n',
    });
    expect(left()).toEqual(['busy']);
    expect(await reset()).toEqual({
      code: 0,
      printed: 'left .data/busy, which a process uses\nnothing to reset\n',
    });
  });

  it('removes those that are named', async () => {
    expect(await reset('two')).toEqual({ code: 0, printed: 'removed .data/two\n' });
    expect(left()).toEqual(['busy', 'one']);
  });

  it('only says what would go with --dry-run', async () => {
    expect(await reset('--dry-run')).toEqual({
      code: 0,
      printed: 'would remove .data/one\nwould remove .data/two\nleft .data/busy, which a process uses\n',
    });
    expect(left()).toEqual(['busy', 'one', 'two']);
  });

  it.each(['busy', '../.build', 'nobody', '.'])('refuses %s, and removes nothing', async (name) => {
    expect(await reset(name, 'one')).toEqual({
      code: 2,
      printed: `Cannot reset ${name}: no idle workspace has this name; there are one, two\n`,
    });
    expect(left()).toEqual(['busy', 'one', 'two']);
  });
});
