import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** What a file imports, by name as it is written. */
const importsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?'([^']+)'/g)].map(([, name = '']) => name);

/** All that is reached from a file, as names of packages and files of src/. */
function reached(file: string, seen = new Set<string>()): Set<string> {
  const name = relative(src, file);
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const one of importsOf(file)) {
    if (one.startsWith('.')) reached(resolve(dirname(file), one.replace(/\.js$/, '.ts')), seen);
    else seen.add(one);
  }
  return seen;
}

describe('imports', () => {
  it.each(['index.ts', 'notebook/index.ts'])('of %s do not reach Stripe’s declarations', (entry) => {
    const names = [...reached(join(src, entry))];
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => name === 'stripe' || name.startsWith('local-stripe'))).toEqual([]);
  });

  it('of the local Stripe are the ground floor, stripe and zod', () => {
    const folder = join(src, 'local-stripe');
    const foreign = new Set<string>();
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const file = join(folder, name);
      for (const one of importsOf(file)) {
        const path = one.startsWith('.') ? resolve(dirname(file), one.replace(/\.js$/, '.ts')) : one;
        if (one.startsWith('.')) expect(existsSync(path), `${name} imports ${one}`).toBe(true);
        if (!path.startsWith(`${folder}/`)) foreign.add(one.startsWith('.') ? relative(src, path) : one);
      }
    }
    const allowed = /^(node:.*|stripe|zod|money\.ts|period\.ts|errors\.ts|input\.ts)$/;
    expect([...foreign].filter((name) => !allowed.test(name))).toEqual([]);
  });

  it('of the rest reach it from the roots only', () => {
    const users = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.startsWith('local-stripe'))
      .filter((name) => importsOf(join(src, name)).some((one) => one.includes('local-stripe/')));
    expect(users).toEqual(['commands/local-stripe.ts']);
  });
});
