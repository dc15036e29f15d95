import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SetUpProject, setUpProject } from '../support/set-up-project.js';

let project: SetUpProject;
beforeEach(() => {
  project = setUpProject();
  mkdirSync(join(project.folder, 'notebooks'));
  project.addProgram('jupyter-lab', '[ "$1" = --version ] && echo 4.6.6 || echo "JupyterLab got: $*"');
});
afterEach(() => project.remove());

describe('npm run lab', () => {
  const lines = async (...args: string[]) => (await project.run('lab.mjs', ...args)).printed.split('\n');

  it('opens the notebooks, with the style of their charts', async () => {
    const root = `--ServerApp.root_dir=${join(project.folder, 'notebooks')}`;
    const [got] = (await lines('--no-browser')).filter((line) => line.startsWith('JupyterLab got:'));
    expect(got).toContain(` ${root} `);
    expect(got).toMatch(/ --LabApp.custom_css=True .*--no-browser$/);
    const style = join(project.folder, '.jupyter', 'runtime', 'config', 'custom', 'custom.css');
    expect(existsSync(style) && readFileSync(style, 'utf8')).toContain('.jp-RenderedPlotly .plot-img');
  });

  it('leaves the folder to those who name one', async () => {
    const [got] = (await lines('--notebook-dir=/elsewhere')).filter((line) =>
      line.startsWith('JupyterLab got:'),
    );
    expect(got).toContain('--notebook-dir=/elsewhere');
    expect(got).not.toContain('root_dir');
  });
});
