import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SetUpProject, setUpProject } from '../support/set-up-project.js';

let project: SetUpProject;
beforeEach(() => {
  project = setUpProject();
});
afterEach(() => project.remove());

/** Installs and builds, without what Python was asked. */
const work = () => project.calls().filter((call) => !call.startsWith('python3'));

describe('setUp()', () => {
  it('installs and builds, and says what it will install', async () => {
    const { code, printed } = await project.setUp();
    expect(printed).toContain('First run: this installs the packages, about 1.3 GB, in one to two minutes.');
    expect(code).toBe(0);
    expect(work()).toEqual(['npm', 'tsc']);
  });

  it('skips all that is there', async () => {
    await project.setUp();
    const { printed } = await project.setUp();
    expect(work()).toEqual(['npm', 'tsc']);
    expect(printed).not.toContain('…');
  });

  it('builds again when a source has changed', async () => {
    await project.setUp();
    writeFileSync(join(project.folder, 'src', 'index.ts'), 'export const changed = true;\n');
    await project.setUp();
    expect(work()).toEqual(['npm', 'tsc', 'tsc']);
  });

  it('removes what was built from a source that is gone', async () => {
    await project.setUp();
    const orphan = join(project.folder, '.build', 'gone.js');
    writeFileSync(orphan, '');
    writeFileSync(join(project.folder, 'src', 'index.ts'), 'export const changed = true;\n');
    await project.setUp();
    expect(existsSync(orphan)).toBe(false);
  });

  it('ends with the output and the command when packages cannot be installed', async () => {
    writeFileSync(join(project.folder, 'npm.js'), 'console.error("no such registry"); process.exit(7);');
    const { code, printed } = await project.setUp();
    expect(printed).toContain(
      'Installing packages failed (exit code 7).\n    no such registry\n  The command was: ',
    );
    expect(code).toBe(1);
  });
});

describe('setUp() without an engine', () => {
  it('goes on without Redis, and says what works without it and what would help', async () => {
    const { code, printed } = await project.setUp();
    expect(printed).toMatch(
      /⚠️ {2}Redis is off: no redis-server could be installed, so the quota gate works inside the process and what else needs Redis is skipped; this would help: .+\n/,
    );
    expect(code).toBe(0);
  });

  it('does not try again to install Redis', async () => {
    await project.setUp();
    const { printed } = await project.setUp();
    expect(printed).toContain('Redis is off');
    expect(project.calls().filter((call) => call.includes('-m venv'))).toHaveLength(1);
  });

  it('tries again once there is a Python for the notebooks', async () => {
    const withPython = (script: string) =>
      project.addProgram('python3', `echo "python3 $*" >> '${join(project.folder, 'calls.log')}'\n${script}`);
    const tries = () => project.calls().filter((call) => call.includes('-m venv')).length;
    withPython('exit 1');
    await project.setUp();
    const before = tries();
    withPython('[ "$1" = -c ]');
    await project.setUp();
    expect(tries()).toBe(before + 1);
  });

  it('takes a Redis server that came later', async () => {
    await project.setUp();
    project.addProgram('redis-server', 'exit 0');
    expect((await project.setUp()).printed).not.toContain('Redis');
  });

  it.runIf(process.getuid?.() === 0)('takes the Redis of Debian, which starts no service', async () => {
    const bin = join(project.folder, 'bin');
    const install = `[ "$1" = update ] || { echo "#!/bin/sh" > '${bin}/redis-check-rdb'; /bin/chmod +x '${bin}/redis-check-rdb'; }`;
    project.addProgram('apt-get', install);
    const { printed } = await project.setUp();
    expect(printed).toContain('This installs system packages: redis-tools\n');
    expect(printed).not.toContain('Redis is off');
    expect(existsSync(join(project.folder, '.jupyter', 'env', 'bin', 'redis-server'))).toBe(true);
  });

  it('says so when ClickHouse’s engine is missing, and not when it is there', async () => {
    expect((await project.setUp()).printed).toContain('ClickHouse is off: its embedded engine (@chdb/lib-');
    const { platform, arch } = process;
    const name = `@chdb/lib-${platform}-${arch}${platform === 'linux' ? '-gnu' : ''}`;
    const engine = join(project.folder, 'node_modules', name);
    mkdirSync(engine, { recursive: true });
    writeFileSync(join(engine, 'chdb_node.node'), '');
    expect((await project.setUp()).printed).not.toContain('ClickHouse');
  });

  it('says so when no Python can run notebooks', async () => {
    project.addProgram('python3', 'exit 1');
    const { code, printed } = await project.setUp();
    expect(printed).toContain('Notebooks cannot be run: no Jupyter could be installed; this would help: ');
    expect(code).toBe(0);
  });
});

describe('two set-ups at once', () => {
  it('do the work once', async () => {
    const both = await Promise.all([project.setUp(), project.setUp()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(work()).toEqual(['npm', 'tsc']);
  });

  it('are not held up by one that was killed', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    mkdirSync(join(project.folder, '.jupyter', 'runtime'));
    writeFileSync(join(project.folder, '.jupyter', 'runtime', 'set-up.lock'), `${dead}`);
    expect((await project.setUp()).code).toBe(0);
  });

  it('are not held up by one that was killed before it had written its name', async () => {
    const lock = join(project.folder, '.jupyter', 'runtime', 'set-up.lock');
    mkdirSync(join(project.folder, '.jupyter', 'runtime'));
    writeFileSync(lock, '');
    const aMinuteAgo = Date.now() / 1000 - 60;
    utimesSync(lock, aMinuteAgo, aMinuteAgo);
    expect((await project.setUp()).code).toBe(0);
  });
});
