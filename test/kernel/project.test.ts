import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KernelClient, projectRoot, startKernel } from '../support/kernel-client.js';
import { runNodeProgram } from '../support/run-program.js';
import { setUpProject } from '../support/set-up-project.js';

/** The kernel of a project that is half set up: the package's main part is built, its notebook part is not. */
const project = setUpProject();
let kernel: KernelClient;
beforeAll(async () => {
  const build = join(project.folder, '.build');
  mkdirSync(build);
  writeFileSync(join(build, 'index.js'), 'export const currency = "USD";\n');
  writeFileSync(join(build, 'index.d.ts'), 'export declare const currency: string;\n');
  cpSync(join(projectRoot, 'package.json'), join(project.folder, 'package.json'));
  symlinkSync(join(projectRoot, 'node_modules'), join(project.folder, 'node_modules'));
  kernel = await startKernel({ root: project.folder });
});
afterAll(async () => {
  await kernel.close();
  project.remove();
});

describe('the kernel of a project', () => {
  it('imports the package by its own name', async () => {
    const { stdout } = await kernel.run('import { currency } from "meterbridge";\ncurrency');
    expect(stdout).toBe('USD\n');
  });

  it('says what to run when the build is missing', async () => {
    const { reply } = await kernel.run('import { table } from "meterbridge/notebook";');
    expect(reply.evalue).toBe(
      'The library is not built: run `npm start` in the project, then restart this kernel.',
    );
  });

  it('names files as they are seen from the project', async () => {
    const { reply } = await kernel.run('import * as library from "meterbridge";\nlibrary.money;');
    expect(reply.evalue).toBe(
      "2:9 - Property 'money' does not exist on type 'typeof import(\".build/index\")'.",
    );
  });

  it('says what to run when the packages are missing', async () => {
    const bare = setUpProject();
    const { code, printed } = await runNodeProgram([join(bare.folder, '.jupyter', 'kernel.cjs')]);
    expect(printed).toBe(
      'Cannot start the TypeScript kernel: its packages are missing. Run `npm start` in the project.\n',
    );
    expect(code).toBe(1);
    bare.remove();
  });
});
