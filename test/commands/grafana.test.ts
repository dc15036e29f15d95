import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProjectCopy, projectCopy } from '../support/project-copy.js';

let copy: ProjectCopy;
beforeAll(() => {
  copy = projectCopy();
});
afterAll(() => copy.remove());

const grafana = (...args: string[]) => copy.run('.build/commands/grafana.js', args);
const committed = readFileSync(
  new URL('../../.grafana/dashboards/meterbridge.json', import.meta.url),
  'utf8',
);

describe('npm run grafana', () => {
  it.each([
    ['.grafana/dashboards/meterbridge.json', []],
    ['elsewhere/mine.json', ['elsewhere/mine.json']],
  ])('writes %s', async (file, args) => {
    expect(await grafana(...args)).toEqual({ code: 0, printed: `wrote ${file}\n` });
    expect(readFileSync(join(copy.folder, file), 'utf8')).toBe(committed);
  });

  it('refuses two files', async () => {
    const { code, printed } = await grafana('a.json', 'b.json');
    expect([code, printed]).toEqual([2, 'Cannot write several files: a.json, b.json\n']);
  });
});
