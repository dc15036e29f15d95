import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Lab {
  /** With its token. */
  readonly address: string;
  /** Ends it as Ctrl-C in its terminal does; gives the exit code of `npm run lab`. */
  stop(): Promise<number | null>;
}

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/lab\?token=\w+/;
/** What JupyterLab would ask or hide: news, and cells out of sight, which it leaves out of the page. */
const SETTINGS = {
  'apputils-extension/notification': { fetchNews: 'false' },
  'notebook-extension/tracker': { windowingMode: 'none' },
};

/**
 * `npm run lab` on copies of the notebooks, so that nothing that is saved changes the project; the kernel is
 * the project's own. JupyterLab's settings and layout are in that folder, too: those of a learner stay.
 *
 * @throws Error with what it printed, when it ends without an address
 */
export async function startLab(notebooks: readonly string[]): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'desk-'));
  const course = join(folder, 'course');
  mkdirSync(course);
  for (const file of notebooks) cpSync(file, join(course, basename(file)));
  for (const [name, settings] of Object.entries(SETTINGS)) {
    const file = join(folder, 'settings', '@jupyterlab', `${name}.jupyterlab-settings`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(settings));
  }
  const options = [
    ...['--no-browser', '--ServerApp.port=0', `--ServerApp.root_dir=${course}`],
    ...[`--LabApp.user_settings_dir=${folder}/settings`, `--LabApp.workspaces_dir=${folder}/layout`],
  ];
  const child = spawn('npm', ['run', 'lab', '--', ...options], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    detached: true, // a group of its own, which a signal reaches as Ctrl-C does in a terminal
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  let printed = '';
  const address = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        const found = ADDRESS.exec(printed)?.[0];
        if (found) resolve(found);
      });
    }
    closed.then(() => reject(new Error(`npm run lab ended without an address; it printed:\n${printed}`)));
  });
  return {
    address,
    async stop() {
      process.kill(-(child.pid as number), 'SIGTERM');
      const [code] = await closed;
      rmSync(folder, { recursive: true });
      return code;
    },
  };
}
