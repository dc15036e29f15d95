import { describe, expect, it } from 'vitest';

const module = new URL('../../.jupyter/code-lines.mjs', import.meta.url).href;
const { codeLines } = (await import(module)) as { codeLines(source: string): number };

describe('codeLines()', () => {
  it('leaves out blank lines and comments', () => {
    expect(codeLines('/**\n * What it is.\n */\n\n// Why.\nconst a = 1; // one\n\nexport { a };\n')).toBe(2);
  });

  it('counts a line of SQL in a string', () => {
    expect(codeLines('const sql = `\n  SELECT 1\n`;\n')).toBe(3);
  });
});
