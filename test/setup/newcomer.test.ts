import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runNodeProgram } from '../support/run-program.js';
import { type SetUpProject, setUpProject } from '../support/set-up-project.js';

/** What goes wrong for a newcomer, each answered by one sentence with the command that helps. */
let project: SetUpProject;
beforeEach(() => {
  project = setUpProject();
});
afterEach(() => {
  vi.unstubAllEnvs();
  project.remove();
});

const SCRIPTS = ['start.mjs', 'test.mjs', 'notebooks.mjs', 'lab.mjs', 'run-command.mjs'];

describe('with an older Node', () => {
  const sentence =
    'meterbridge needs Node.js 20.19, 22.12 or newer and this is v18.20.8: install one from https://nodejs.org and run the command again.\n';

  it.each(SCRIPTS)('%s says which one it needs', async (script) => {
    const older = fileURLToPath(new URL('older-node.mjs', import.meta.url));
    mkdirSync(join(project.folder, 'notebooks'));
    writeFileSync(join(project.folder, 'notebooks', 'lesson.ipynb'), '{}');
    const args = ['--import', older, join(project.folder, '.jupyter', script)];
    expect(await runNodeProgram(args)).toEqual({ code: 1, printed: sentence });
  });
});

describe('without any Python', () => {
  it('names the package that brings one', async () => {
    rmSync(join(project.folder, 'bin', 'python3'));
    const { code, printed } = await project.setUp();
    const command =
      process.platform === 'darwin' ? 'brew install python' : 'sudo apt-get install python3-venv';
    expect(printed).toContain(
      `⚠️  Notebooks cannot be run: no Jupyter could be installed; this would help: ${command}\n`,
    );
    expect(code).toBe(0);
  });
});

describe('without a network', () => {
  it('does nothing that needs one, once all is there', async () => {
    await project.setUp();
    writeFileSync(join(project.folder, 'npm.js'), 'console.error("no network"); process.exit(7);');
    project.addProgram('python3', '[ "$1" = -c ] || exit 7');
    const { code, printed } = await project.setUp();
    expect(printed).not.toMatch(/failed|Installing/);
    expect(code).toBe(0);
  });

  it('does not wait for npm to try again and again, and says what helps', async () => {
    vi.stubEnv('npm_config_registry', 'https://registry.invalid/');
    const args = join(project.folder, 'npm-args');
    const npm = `require('node:fs').writeFileSync(${JSON.stringify(args)}, process.argv.join(' '));
      console.error('npm error code ENOTFOUND');
      process.exit(1);`;
    writeFileSync(join(project.folder, 'npm.js'), npm);
    const { code, printed } = await project.setUp();
    expect(readFileSync(args, 'utf8')).toContain('--fetch-retries=0');
    expect(printed.split('\n').slice(2)).toEqual([
      "Cannot install packages: npm's registry cannot be reached (ENOTFOUND); run npm start again with a network, or behind a proxy after `npm config set https-proxy URL`.",
      '',
    ]);
    expect(code).toBe(1);
  });

  it('says what to do again, where only the download failed', async () => {
    const env = join(project.folder, '.jupyter', 'env');
    mkdirSync(env);
    writeFileSync(join(env, 'package.json'), '{}');
    project.addProgram('python3', 'exit 7');
    expect((await project.setUp()).printed).toContain(
      'no Jupyter could be installed; this would help: npm start, with a network\n',
    );
  });
});

describe('in a folder that cannot be written to', () => {
  // Nobody is refused a folder as root, so the script runs as nobody.
  const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

  it.each(['run.mjs', 'run-command.mjs'])('%s says where to take the project', async (script) => {
    await project.setUp();
    chmodSync(project.folder, 0o755);
    const runtime = join(project.folder, '.jupyter', 'runtime');
    chmodSync(runtime, 0o555);
    const { stderr, status } = spawnSync(
      process.execPath,
      [join(project.folder, '.jupyter', script), 'check'],
      { ...asNobody, encoding: 'utf8', env: { PATH: join(project.folder, 'bin') } },
    );
    chmodSync(runtime, 0o755);
    expect(stderr).toBe(
      `Cannot write ${join(runtime, 'set-up.lock')} (EACCES): copy the project to a folder of your own, as in \`cp -R ${project.folder}/ ~/meterbridge\`, and run the command there.\n`,
    );
    expect(status).toBe(1);
  });
});

describe('on Windows', () => {
  it('names the way there is', () => {
    expect(engineComplaint('nowhere', { platform: 'win32', arch: 'x64' })).toBe(
      'ClickHouse is off: there is no embedded engine for Windows, so run the project in WSL (`wsl --install`), or name a server in CLICKHOUSE_URL.',
    );
  });
});

const engine = new URL('../../.jupyter/setup/engine.mjs', import.meta.url).href;
const { engineComplaint } = (await import(engine)) as {
  engineComplaint(folder: string, machine: { platform: string; arch: string }): string | undefined;
};
