// `npm run check`, `serve`, `reset`: a command of the library, built first where src/ has changed. stdout is
// the command's alone, since programs read it; what is said before goes to stderr.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildLibrary } from './setup/build.mjs';
import { withLock } from './setup/lock.mjs';
import { nodeComplaint } from './setup/node-version.mjs';
import { build, modules, root, setUpLock } from './setup/paths.mjs';
import { readOnlyComplaint } from './setup/read-only.mjs';
import { StepError } from './setup/run-step.mjs';

const [name, ...args] = process.argv.slice(2);
const complaint = nodeComplaint(process.version) ?? packagesComplaint() ?? (await buildComplaint());
if (complaint) {
  console.error(complaint);
  process.exitCode = 1;
} else {
  const file = join(build, 'commands', `${name}.js`);
  // As if it had been started directly.
  process.argv = [process.argv[0], file, ...args];
  await import(pathToFileURL(file).href);
}

function packagesComplaint() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = Object.keys({ ...dependencies, ...devDependencies }).map((name) => join(modules, name));
  if ([modules, ...wanted].every((folder) => existsSync(folder))) return undefined;
  return 'Run npm start first: packages of this project are not installed.';
}

async function buildComplaint() {
  try {
    await withLock(setUpLock, () => buildLibrary(process.stderr));
    return undefined;
  } catch (error) {
    const sentence = error instanceof StepError ? error.message : readOnlyComplaint(error);
    if (sentence) return sentence;
    throw error;
  }
}
