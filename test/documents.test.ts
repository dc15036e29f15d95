import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const DOCUMENTS = ['README.md', 'src/README.md', 'src/local-stripe/README.md', 'notebooks/INSTRUCTOR.md'];
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const found = (text: string, pattern: RegExp) => [
  ...new Set([...text.matchAll(pattern)].map(([, word = '']) => word)),
];

describe.each(DOCUMENTS)('%s', (document) => {
  it('names commands that package.json has', () => {
    const names = found(read(document), /\bnpm (start|test|run [a-z-]+)\b/g).map((name) =>
      name.replace('run ', ''),
    );
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('links to what is there', () => {
    const targets = found(read(document), /\]\((?!https?:)([^)#]+)/g);
    expect(targets.filter((target) => !existsSync(join(root, dirname(document), target)))).toEqual([]);
  });

  it('names source files that are there', () => {
    const names = found(read(document), /`(?:[\w-]+\/)*([\w-]+\.ts)`/g);
    expect(names.filter((name) => !sources.some((file) => basename(file) === name))).toEqual([]);
  });
});

describe('README.md', () => {
  const readme = read('README.md');

  it('tells of every command but the parts of others', () => {
    const parts = ['build', 'lint', 'types', 'unit'];
    const told = found(readme, /`npm (?:run )?([a-z-]+)\b/g).concat(found(readme, /^npm ([a-z-]+)\b/gm));
    expect(Object.keys(scripts).filter((name) => !told.includes(name) && !parts.includes(name))).toEqual([]);
  });

  it('tells of every setting that is read, and of no other', () => {
    const settings = /\b((?:CLICKHOUSE|REDIS|STRIPE|MB|ONBOARDING)_[A-Z_]*[A-Z]|OFFLINE)\b/g;
    const readHere = found(read('src/config.ts'), settings).sort();
    const table = readme.split('\n').filter((line) => /^\| `[A-Z]/.test(line));
    expect(found(table.join('\n'), settings).sort()).toEqual(readHere);
    expect(found(read('.env.example'), settings).sort()).toEqual(readHere);
  });
});

describe('src/README.md', () => {
  /** The first column of its table, row by row: parts of src/, files without their ending, or folders. */
  const rows = read('src/README.md')
    .split('\n')
    .filter((line) => /^\| `/.test(line));
  const order = rows.map((row) => found(row.split('|')[1] ?? '', /`([\w-]+)\/?`/g));
  const rank = (file: string) => {
    const [first = ''] = file.split('/');
    const at = order.findIndex((names) => names.includes(first.replace(/\.ts$/, '')));
    return at === -1 && !file.includes('/') ? 0 : at;
  };

  it('has every folder of src/ in its table', () => {
    expect(sources.filter((file) => rank(file) === -1)).toEqual([]);
  });

  it('is right that each part imports only what stands above it', () => {
    // What a notebook imports is put together from everywhere.
    const upwards = sources
      .filter((file) => basename(file) !== 'index.ts')
      .flatMap((file) =>
        found(read(join('src', file)), /from '(\.[^']+)\.js'/g)
          .map((target) => join(dirname(file), `${target}.ts`))
          .filter((target) => rank(target) > rank(file))
          .map((target) => `${file} imports ${target}`),
      );
    expect(upwards).toEqual([]);
  });
});
