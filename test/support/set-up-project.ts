import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProgramResult, runNodeProgram } from './run-program.js';

/**
 * A small project with the real set-up in it and stand-ins for the programs that it calls (npm, compiler,
 * Python), on a PATH that holds nothing else: nothing is downloaded, and what is missing is missing.
 */
export interface SetUpProject {
  readonly folder: string;
  /** Runs set-up to its end. */
  setUp(): Promise<ProgramResult>;
  /** Runs a script of .jupyter/, e.g. `clean.mjs`. */
  run(script: string, ...args: string[]): Promise<ProgramResult>;
  /** The stand-ins' calls so far, one a line: `npm`, `tsc`, `python3 -m venv …`. */
  calls(): string[];
  /** Puts a program on PATH. */
  addProgram(name: string, script: string): void;
  remove(): void;
}

const realJupyter = fileURLToPath(new URL('../../.jupyter/', import.meta.url));
/** What set-up itself made there stays behind. */
const isTracked = (path: string) => ![join(realJupyter, 'env'), join(realJupyter, 'runtime')].includes(path);

export function setUpProject(): SetUpProject {
  const folder = mkdtempSync(join(tmpdir(), 'set-up-'));
  const path = join(folder, 'bin');
  const log = join(folder, 'calls.log');
  const npm = join(folder, 'npm.js');
  cpSync(realJupyter, join(folder, '.jupyter'), { recursive: true, filter: isTracked });
  for (const name of ['bin', 'src']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'src', 'index.ts'), 'export {};\n');
  writeFileSync(
    join(folder, '.jupyter', 'run.mjs'),
    `import { setUp } from './setup.mjs';\nawait setUp();\n`,
  );
  writeFileSync(log, '');
  writeFileSync(npm, standInForNpm(log));

  function addProgram(name: string, script: string): void {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  // Has the modules that notebooks need, and cannot make an environment, as Debian's.
  addProgram('python3', `echo "python3 $*" >> '${log}'\n[ "$1" = -c ]`);

  const env = {
    PATH: path,
    npm_execpath: npm,
    REDIS_URL: '',
    REDIS_HOST: '',
    JUPYTER_DATA_DIR: join(folder, 'jupyter'),
  };
  const run = (script: string, ...args: string[]) =>
    runNodeProgram([join(folder, '.jupyter', script), ...args], env);

  return {
    folder,
    addProgram,
    setUp: () => run('run.mjs'),
    run,
    calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Installs a package of one program: a compiler that writes one built file. */
function standInForNpm(log: string): string {
  const compiler = `const fs = require('node:fs');
    fs.appendFileSync(${JSON.stringify(log)}, 'tsc\\n');
    fs.mkdirSync('.build', { recursive: true });
    fs.writeFileSync('.build/index.js', '');`;
  return `const fs = require('node:fs');
    fs.appendFileSync(${JSON.stringify(log)}, 'npm\\n');
    fs.mkdirSync('node_modules/typescript/bin', { recursive: true });
    fs.writeFileSync('node_modules/typescript/bin/tsc', ${JSON.stringify(compiler)});`;
}
