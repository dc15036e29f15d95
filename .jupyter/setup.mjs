// Set-up: brings in what is missing and says so, once. Each step looks first whether its work is done, so a
// second run takes well under a second. Needs nothing but Node: it runs before node_modules exists.
import { buildLibrary } from './setup/build.mjs';
import { engineComplaint } from './setup/engine.mjs';
import { findOrInstallJupyter } from './setup/jupyter.mjs';
import { withLock } from './setup/lock.mjs';
import { networkComplaint } from './setup/network.mjs';
import { nodeComplaint } from './setup/node-version.mjs';
import { installPackages } from './setup/packages.mjs';
import { setUpLock } from './setup/paths.mjs';
import { readOnlyComplaint } from './setup/read-only.mjs';
import { findOrInstallRedis } from './setup/redis.mjs';
import { StepError } from './setup/run-step.mjs';

/**
 * Ends the process with a sentence where nothing can go on without: Node too old, no packages, no build, a
 * folder that cannot be written to.
 *
 * @returns {Promise<{ python: string | undefined, services: boolean }>} the Python that executes notebooks, if
 *   there is one, and whether all embedded services can run here
 */
export async function setUp() {
  const tooOld = nodeComplaint(process.version);
  if (tooOld) giveUp(tooOld);
  try {
    return await withLock(setUpLock, bringIn);
  } catch (error) {
    const sentence =
      error instanceof StepError ? (networkComplaint(error) ?? error.message) : readOnlyComplaint(error);
    if (sentence) giveUp(sentence);
    throw error;
  }
}

async function bringIn() {
  await installPackages();
  await buildLibrary();
  const jupyter = await findOrInstallJupyter();
  const redis = await findOrInstallRedis(jupyter.python);
  const engine = engineComplaint();
  for (const complaint of [engine, jupyter.complaint, redis]) {
    if (complaint) console.log(`⚠️  ${complaint}`);
  }
  return { python: jupyter.python, services: !engine && !redis };
}

function giveUp(sentence) {
  console.error(sentence);
  process.exit(1);
}
