import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SetUpProject, setUpProject } from '../support/set-up-project.js';

let project: SetUpProject;
beforeEach(() => {
  project = setUpProject();
});
afterEach(() => project.remove());

/** A command that prints its arguments as JSON and ends with 3. */
function addCommand(): void {
  mkdirSync(join(project.folder, '.build', 'commands'));
  const script = 'console.log(JSON.stringify(process.argv.slice(1)));\nprocess.exitCode = 3;\n';
  writeFileSync(join(project.folder, '.build', 'commands', 'report.js'), script);
  // Else it would be removed with the next build, as one whose source is gone.
  mkdirSync(join(project.folder, 'src', 'commands'), { recursive: true });
  writeFileSync(join(project.folder, 'src', 'commands', 'report.ts'), '');
}

function report(...args: string[]) {
  const file = join(project.folder, '.jupyter', 'run-command.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, 'report', ...args], {
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

const builds = () => project.calls().filter((call) => call === 'tsc').length;

describe('a command of the library', () => {
  it.each([[[]], [['--help']]])('says what to run in a fresh clone, with arguments %j', (args) => {
    expect(report(...args)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Run npm start first: packages of this project are not installed.\n',
    });
  });

  it('runs after a build where src/ has changed, with nothing but its own on stdout', async () => {
    await project.setUp();
    addCommand();
    const { code, stdout, stderr } = report('--json', 'all');
    expect(JSON.parse(stdout).slice(1)).toEqual(['--json', 'all']);
    expect(JSON.parse(stdout)[0]).toMatch(/commands.report\.js$/);
    expect(stderr).toContain('Building the library');
    expect(code).toBe(3);
    expect(builds()).toBe(2);
  });

  it('is quiet when the build fits', async () => {
    await project.setUp();
    addCommand();
    report();
    expect(report().stderr).toBe('');
    expect(builds()).toBe(2);
  });

  it('does not run on a build that failed', async () => {
    await project.setUp();
    addCommand();
    const compiler = join(project.folder, 'node_modules', 'typescript', 'bin', 'tsc');
    writeFileSync(compiler, 'console.log("src/a.ts: no such type"); process.exit(2);');
    const { code, stdout, stderr } = report();
    expect(stderr).toContain('src/a.ts: no such type');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});
