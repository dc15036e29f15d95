// The packages of package.json. `npm install` and not `npm ci`: where a registry lacks the database engine
// of other platforms, the lock file names packages that cannot be looked up, and `npm ci` refuses.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { knowsNames } from './network.mjs';
import { modules, root } from './paths.mjs';
import { runStep } from './run-step.mjs';
import { contentHash, isStamped, stamp } from './stamp.mjs';

const wanted = ['package.json', 'package-lock.json', '.npmrc'].map((name) => join(root, name));
const stampFile = join(modules, '.meterbridge');

/** @throws {StepError} */
export async function installPackages() {
  if (isStamped(stampFile, contentHash(wanted))) return;
  if (!existsSync(modules)) {
    console.log('First run: this installs the packages, about 1.3 GB, in one to two minutes.');
  }
  const args = ['install', '--include=dev', '--no-audit', '--no-fund', '--no-progress'];
  // Without a network npm tries each package again, after 10 and 60 seconds, for more than eleven minutes.
  if (!(await knowsNames())) args.push('--fetch-retries=0');
  // Under `npm start` this is the npm that runs already; elsewhere the one on PATH.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) await runStep('Installing packages', process.execPath, [npm, ...args]);
  else await runStep('Installing packages', 'npm', args);
  stamp(stampFile, contentHash(wanted));
}
