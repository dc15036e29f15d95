import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

const built = fileURLToPath(new URL('../../.build/', import.meta.url));

/** What a file imports, by name as it is written; `later` are those that are not loaded with it. */
const importsOf = (file: string) =>
  [
    ...readFileSync(file, 'utf8').matchAll(/(import type[^;]*? )?(?:from|import)\s*(\(?)["']([^"']+)["']/g),
  ].map(([, type, later, name = '']) => ({ name, later: type !== undefined || later === '(' }));

/** All that is loaded with a file, as names of packages and files of src/ or .build/. */
function reached(folder: string, file: string, seen = new Set<string>()): Set<string> {
  const extension = folder === src ? '.ts' : '.d.ts';
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { name, later } of importsOf(join(folder, file))) {
    if (later && folder === src) continue;
    if (!name.startsWith('.')) seen.add(name);
    else reached(folder, join(dirname(file), name.replace(/\.js$/, extension)), seen);
  }
  return seen;
}

describe('imports', () => {
  const heavy = (names: Iterable<string>) =>
    [...names].filter((name) => /^(stripe|bullmq|ioredis)$/.test(name) || name.startsWith('local-stripe'));

  it.each(['index', 'notebook/index', 'billing/index'])('of %s declare without Stripe’s types', (entry) => {
    const names = reached(built, `${entry}.d.ts`);
    expect(names.size).toBeGreaterThan(5);
    expect(heavy(names)).toEqual([]);
  });

  it('of the main entry load no Stripe: the first cell does not wait for it', () => {
    const names = reached(src, 'index.ts');
    expect(names.size).toBeGreaterThan(50);
    expect(heavy(names)).toEqual(['ioredis']);
    expect(heavy(reached(src, 'billing/index.ts'))).toContain('stripe');
  });

  it('of the local Stripe are the ground floor, stripe and zod', () => {
    const folder = join(src, 'local-stripe');
    const foreign = new Set<string>();
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const file = join(folder, name);
      for (const { name: one } of importsOf(file)) {
        const path = one.startsWith('.') ? resolve(dirname(file), one.replace(/\.js$/, '.ts')) : one;
        if (one.startsWith('.')) expect(existsSync(path), `${name} imports ${one}`).toBe(true);
        if (!path.startsWith(`${folder}/`)) foreign.add(one.startsWith('.') ? relative(src, path) : one);
      }
    }
    const allowed = /^(node:.*|stripe|zod|money\.ts|period\.ts|errors\.ts|input\.ts|process-lock\.ts)$/;
    expect([...foreign].filter((name) => !allowed.test(name))).toEqual([]);
  });

  it('of the rest reach it from the roots only', () => {
    const users = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.startsWith('local-stripe'))
      .filter((name) => importsOf(join(src, name)).some((one) => one.name.includes('local-stripe/')));
    expect(users.sort()).toEqual(['commands/local-stripe.ts', 'services/stripe.ts']);
  });
});
