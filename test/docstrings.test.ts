import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { exported, openPrelude } from './support/example-prelude.js';
import { publicFunctions, ts } from './support/public-api.js';
import { runNodeProgram } from './support/run-program.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const functions = publicFunctions();
const examples = functions.flatMap(({ name, file, examples }) =>
  examples.map((code) => ({ name, file, code })),
);

/** Examples that are compiled, and not run here. */
const NOT_RUN = new Map([
  ['openServices', 'a process has one engine at a time, and the prelude has it'],
  ['webhookNotifier', 'it posts to a host of somebody else'],
  ['loadExampleUsage', 'a million events, beside which the sample month refuses to be'],
  ['billSampleMonth', 'the prelude lives the month of one tenant; all of them take long'],
  ['dashboardChart', 'five pictures; chart() draws one'],
  ['frame', 'danfojs takes seconds to load, and has tests of its own'],
]);

describe('the docstrings of what a notebook can import', () => {
  it('are there for functions, classes and their methods', () => {
    expect(functions.length).toBeGreaterThan(90);
    const bare = functions.filter(({ description }) => description === '');
    expect(bare.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
    const methods = functions.flatMap(({ name, bareMethods }) => bareMethods.map((of) => `${name}.${of}`));
    expect(methods).toEqual([]);
  });

  it('have an example, but for errors, which the library makes', () => {
    const without = functions.filter(({ isError, examples }) => !isError && examples.length === 0);
    expect(without.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
  });
});

describe('their examples', () => {
  let prelude: Awaited<ReturnType<typeof openPrelude>>;
  beforeAll(async () => {
    vi.spyOn(console, 'log').mockReturnValue();
    prelude = await openPrelude();
  });
  afterAll(async () => {
    await prelude?.close();
    vi.restoreAllMocks();
  });

  it('compile, with the usual names at hand', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'examples-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { lines, ownerOf } = oneFile(Object.keys(prelude.names));
    // The built declarations are what a cell gets, and are read in a fraction of the sources' time.
    const library = readFileSync(join(root, 'test', 'support', 'example-prelude.ts'), 'utf8');
    writeFileSync(join(folder, 'prelude.ts'), library.replaceAll("'../../src/", `'${root}.build/`));
    writeFileSync(join(folder, 'examples.ts'), lines.join('\n'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(SETTINGS));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { printed } = await runNodeProgram([compiler, '-p', folder, '--pretty', 'false']);
    const complaints = [...printed.matchAll(/^(.+)\((\d+),\d+\): error (.+)$/gm)];
    const told = complaints.map(
      ([, file = '', line, error]) =>
        `${file.endsWith('examples.ts') ? ownerOf(Number(line)) : file}: ${error}`,
    );
    expect(told).toEqual([]);
  });

  it.each(examples.filter(({ name }) => !NOT_RUN.has(name)))('run: $name', async ({ code }) => {
    const { body, value } = runnable(code);
    const result = await run(body, prelude.names);
    if (value) expect(result).toEqual(await run(`return (${value});`, prelude.names));
  });
});

/** As the kernel compiles a cell, which is less strict about what may be missing in a list. */
const SETTINGS = {
  extends: join(root, 'tsconfig.json'),
  compilerOptions: {
    noEmit: true,
    declaration: false,
    declarationMap: false,
    rootDir: '/',
    noUnusedLocals: false,
    noUnusedParameters: false,
    noUncheckedIndexedAccess: false,
  },
  include: ['examples.ts'],
};

/** All examples as one file, a function each, and whose example a line is. */
function oneFile(names: readonly string[]) {
  const lines = [
    `import { type Prelude, exported } from "./prelude.js";`,
    `const { ${Object.keys(exported).join(', ')} } = exported;`,
    'export const examples = [',
  ];
  const owners: string[] = [];
  for (const { name, file, code } of examples) {
    const own = [`async ({ ${names.join(', ')} }: Prelude) => { {`, ...code.split('\n'), '} },'];
    for (const at of own.keys()) owners[lines.length + at + 1] = `${name} in ${file}`;
    lines.push(...own);
  }
  return { lines: [...lines, '];'], ownerOf: (line: number) => owners[line] ?? 'the prelude' };
}

/** An example that gives its last expression, and the value that the comment behind it promises, if one does. */
function runnable(code: string): { body: string; value?: string } {
  const file = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const last = file.statements.at(-1);
  if (!last || !ts.isExpressionStatement(last)) return { body: code };
  const body = `${code.slice(0, last.getStart())}return (${last.expression.getText()});`;
  const comment = /\/\/ (.+)$/.exec(code.slice(last.end))?.[1] ?? '';
  return /^(['[{\d]|true$|false$)/.test(comment) ? { body, value: comment } : { body };
}

const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (
  ...words: string[]
) => (...values: unknown[]) => Promise<unknown>;

/** In a block of its own: an example may make what the prelude has. */
function run(body: string, names: object): Promise<unknown> {
  const known = { ...exported, ...names };
  const script = ts.transpile(body, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext });
  return new AsyncFunction(...Object.keys(known), `{ ${script} }`)(...Object.values(known));
}
