// Compiles src/ to .build/. The compiler is called by its path: tslab brings a `tsc` of its own, and which
// of the two npm links is not certain.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, modules, root } from './paths.mjs';
import { runStep } from './run-step.mjs';
import { contentHash, isStamped, stamp } from './stamp.mjs';

const sources = join(root, 'src');
const stampFile = join(build, '.stamp');

/**
 * @param {NodeJS.WriteStream} [progress] where a build is shown @default process.stdout
 * @throws {StepError}
 */
export async function buildLibrary(progress = process.stdout) {
  const hash = contentHash([sources, join(root, 'tsconfig.json'), join(root, 'package-lock.json')]);
  if (isStamped(stampFile, hash)) return;
  const compiler = join(modules, 'typescript', 'bin', 'tsc');
  await runStep('Building the library', process.execPath, [compiler, '-p', root], { progress });
  removeOrphans();
  stamp(stampFile, hash);
}

// What was built from a file that is gone would still be importable here, and nowhere else.
function removeOrphans() {
  for (const name of readdirSync(build, { recursive: true })) {
    const match = /^(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(name);
    if (match && !existsSync(join(sources, `${match[1]}.ts`))) rmSync(join(build, name));
  }
}
