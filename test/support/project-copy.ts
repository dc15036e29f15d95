import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProgramResult, runNodeProgram } from './run-program.js';

const project = fileURLToPath(new URL('../../', import.meta.url));
const runEach = fileURLToPath(new URL('run-each.mjs', import.meta.url));

/** What a command is started with. */
export interface Start {
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

/** The built project in a folder of its own, whose code may be changed. */
export interface ProjectCopy {
  readonly folder: string;
  /** Runs a command of `.build/commands`, or a script of this folder, with no setting of this machine. */
  run(program: string, args?: readonly string[], env?: Record<string, string>): Promise<ProgramResult>;
  /**
   * Runs a command with one start after the other in one process: for those that it refuses, whose process
   * would take most of its time to load.
   */
  runEach(program: string, starts: readonly Start[]): Promise<ProgramResult[]>;
  /** Replaces text in a built file, while `work` runs; each text must be there exactly once. */
  changed<T>(
    file: string,
    changes: readonly (readonly [from: string, to: string])[],
    work: () => Promise<T>,
  ): Promise<T>;
  remove(): void;
}

export function projectCopy(): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'project-'));
  cpSync(join(project, '.build'), join(folder, '.build'), { recursive: true });
  cpSync(join(project, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  const none = {
    OFFLINE: '',
    CLICKHOUSE_URL: '',
    CLICKHOUSE_HOST: '',
    CLICKHOUSE_DB: '',
    REDIS_URL: '',
    REDIS_HOST: '',
    STRIPE_API_KEY: '',
    STRIPE_SECRET_KEY: '',
    STRIPE_URL: '',
    ONBOARDING_API_URL: '',
  };
  const run: ProjectCopy['run'] = (program, args = [], env = {}) => {
    const [there, file] = [folder, resolve(folder, program)].map((path) => JSON.stringify(path));
    // Programs read .env and .data of the folder they stand in.
    const start = `process.chdir(${there}); process.argv.splice(1, 0, ${file}); await import(${file});`;
    const settings = { ...none, MB_EVENTS: '105000', ...env };
    return runNodeProgram(['--input-type=module', '-e', start, '--', ...args], settings);
  };
  return {
    folder,
    run,
    async runEach(program, starts) {
      const { code, printed } = await run(runEach, [join(folder, program), JSON.stringify(starts)]);
      if (code !== 0) throw new Error(`${program} ended with ${code}: ${printed}`);
      return JSON.parse(printed);
    },
    async changed(file, changes, work) {
      const path = join(folder, '.build', file);
      const before = readFileSync(path, 'utf8');
      let after = before;
      for (const [from, to] of changes) {
        if (after.split(from).length !== 2) throw new Error(`${file} does not have once: ${from}`);
        after = after.replace(from, () => to);
      }
      writeFileSync(path, after);
      try {
        return await work();
      } finally {
        writeFileSync(path, before);
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
