// The environment in which the project starts Jupyter: it finds the project's kernel first, runs it with
// this Node, and keeps its own files in the project and not in the home directory.
import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { root, runtime } from './paths.mjs';

/** @returns {NodeJS.ProcessEnv} */
export function jupyterEnvironment() {
  mkdirSync(runtime, { recursive: true });
  const { JUPYTER_PATH, PATH = '' } = process.env;
  return {
    ...process.env,
    PATH: [dirname(process.execPath), PATH].join(delimiter),
    JUPYTER_PATH: [join(root, '.jupyter'), ...(JUPYTER_PATH ? [JUPYTER_PATH] : [])].join(delimiter),
    JUPYTER_CONFIG_DIR: join(runtime, 'config'),
    JUPYTER_DATA_DIR: join(runtime, 'data'),
    JUPYTER_RUNTIME_DIR: join(runtime, 'run'),
    JUPYTERLAB_SETTINGS_DIR: join(runtime, 'lab', 'settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(runtime, 'lab', 'workspaces'),
    IPYTHONDIR: join(runtime, 'ipython'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
