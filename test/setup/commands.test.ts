import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SetUpProject, setUpProject } from '../support/set-up-project.js';

let project: SetUpProject;
beforeEach(() => {
  project = setUpProject();
});
afterEach(() => project.remove());

const has = (...path: string[]) => existsSync(join(project.folder, ...path));

describe('npm run clean', () => {
  /** A workspace that the given process holds. */
  function lockWorkspace(pid: number): void {
    mkdirSync(join(project.folder, '.data', 'lesson'), { recursive: true });
    writeFileSync(join(project.folder, '.data', 'lesson', 'lock'), JSON.stringify({ pid }));
  }

  it('removes what was made and nothing else', async () => {
    await project.setUp();
    lockWorkspace(spawnSync(process.execPath, ['-e', '']).pid);
    expect((await project.run('clean.mjs')).code).toBe(0);
    expect([has('node_modules'), has('.build'), has('.data'), has('.jupyter', 'runtime')]).toEqual(
      Array(4).fill(false),
    );
    expect([has('src', 'index.ts'), has('.jupyter', 'setup.mjs')]).toEqual([true, true]);
  });

  it('only says what it would remove in a dry run', async () => {
    await project.setUp();
    expect((await project.run('clean.mjs', '--dry-run')).printed).toContain('Would remove node_modules\n');
    expect(has('node_modules')).toBe(true);
  });

  it('removes nothing while a workspace is in use', async () => {
    await project.setUp();
    lockWorkspace(process.pid);
    const { code, printed } = await project.run('clean.mjs');
    expect(printed).toBe(
      `In use, so nothing was removed: .data/lesson (process ${process.pid}). Close the notebook or command first.\n`,
    );
    expect(code).toBe(1);
    expect(has('node_modules')).toBe(true);
  });

  it.each(['--dryrun', 'foo'])('removes nothing when told %s', async (word) => {
    await project.setUp();
    const { code, printed } = await project.run('clean.mjs', word);
    expect(printed).toMatch(/^Un\w+ \w+ '.*': this command takes --dry-run, --help\.\n$/);
    expect(code).toBe(1);
    expect(has('node_modules')).toBe(true);
  });

  it('takes a torn lock for one that nobody holds', async () => {
    lockWorkspace(process.pid);
    writeFileSync(join(project.folder, '.data', 'lesson', 'lock'), '{"pi');
    expect(await project.run('clean.mjs')).toEqual({ code: 0, printed: 'Removing .data\n' });
    expect(has('.data')).toBe(false);
  });
});

describe('npm run kernel', () => {
  const spec = () => join(project.folder, 'jupyter', 'kernels', 'tslab', 'kernel.json');

  it('writes a kernelspec that names this project, and takes it away again', async () => {
    expect((await project.run('install-kernel.mjs')).printed).toContain(`Wrote ${spec()}\n`);
    const { argv, display_name } = JSON.parse(readFileSync(spec(), 'utf8'));
    expect(argv).toEqual([
      process.execPath,
      join(project.folder, '.jupyter', 'kernel.cjs'),
      '--config-path',
      '{connection_file}',
    ]);
    expect(display_name).toBe('TypeScript (meterbridge)');
    await project.run('install-kernel.mjs', '--remove');
    expect(existsSync(spec())).toBe(false);
  });

  it('writes nothing in a dry run', async () => {
    expect((await project.run('install-kernel.mjs', '--dry-run')).printed).toContain(
      `Would write ${spec()}:\n`,
    );
    expect(existsSync(spec())).toBe(false);
  });

  it.each(['--dryrun', 'foo'])('writes nothing when told %s', async (word) => {
    const { code, printed } = await project.run('install-kernel.mjs', word);
    expect(printed).toMatch(/^Un\w+ \w+ '.*': this command takes --dry-run, --remove, --help\.\n$/);
    expect(code).toBe(1);
    expect(existsSync(spec())).toBe(false);
  });

  it('leaves another tslab alone', async () => {
    mkdirSync(join(spec(), '..'), { recursive: true });
    writeFileSync(spec(), '{ "argv": ["tslab", "kernel"] }');
    const { code, printed } = await project.run('install-kernel.mjs');
    expect(printed).toContain('Another kernel named "tslab" is in');
    expect(code).toBe(1);
    expect(readFileSync(spec(), 'utf8')).toBe('{ "argv": ["tslab", "kernel"] }');
  });
});
