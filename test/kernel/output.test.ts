import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KernelClient, startKernel } from '../support/kernel-client.js';

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('what a cell shows', () => {
  it('arrives whole however much it prints, in few messages', async () => {
    const code = 'for (let n = 0; n < 5_000; n += 1) console.log(n);';
    const { stdout, published } = await kernel.run(code);
    expect(stdout).toBe(
      range(5_000)
        .map((n) => `${n}\n`)
        .join(''),
    );
    expect(published.length).toBeLessThan(10);
  });

  it('arrives turn by turn when the cell waits in between', async () => {
    const code = 'for (let n = 0; n < 600; n += 1) { console.log(n); await new Promise(setImmediate); }';
    const { stdout, published } = await kernel.run(code);
    expect(stdout).toBe(
      range(600)
        .map((n) => `${n}\n`)
        .join(''),
    );
    expect(published.length).toBeGreaterThan(100);
  });

  it('arrives while the cell computes without a pause', async () => {
    const code = `console.log('begun');
const end = Date.now() + 500;
while (Date.now() < end);
console.log('halfway');
while (true);`;
    const cell = kernel.run(code);
    await kernel.printed('halfway');
    process.kill(kernel.pid, 'SIGINT');
    expect((await cell).reply.status).toBe('error');
  });

  it('keeps its order between stdout, stderr and displays, also in 3,000 messages of one turn', async () => {
    const { published } = await kernel.run(`import * as tslab from 'tslab';
for (let n = 0; n < 1_000; n += 1) {
  console.log(n);
  console.error(n);
  tslab.display.text(\`\${n}\`);
}`);
    expect(published.find(({ type }) => type === 'error')).toBeUndefined();
    const shown = published
      .filter(({ type }) => type !== 'execute_input')
      .map(({ type, content }) =>
        type === 'stream'
          ? `${content.name} ${content.text}`
          : (content.data as Record<string, string>)['text/plain'],
      );
    expect(shown).toEqual(range(1_000).flatMap((n) => [`stdout ${n}\n`, `stderr ${n}\n`, `${n}`]));
  });
});
