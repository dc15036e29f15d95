// System packages, where the machine has apt and lets us: named before they are installed.
import { onPath } from './on-path.mjs';
import { runStep } from './run-step.mjs';

/** @returns {boolean} */
export function canInstallDebian() {
  return process.getuid?.() === 0 && onPath('apt-get').length > 0;
}

/**
 * @param {string[]} packages
 * @throws {StepError}
 */
export async function installDebian(packages) {
  console.log(`This installs system packages: ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runStep('Reading the package lists', 'apt-get', ['update'], { env });
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  await runStep('Installing system packages', 'apt-get', args, { env });
}
