import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KernelClient, startKernel } from '../support/kernel-client.js';

/** What a cell may write, beyond what stock tslab compiles. */
let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

async function output(code: string): Promise<string> {
  const { reply, stdout } = await kernel.run(code);
  return reply.status === 'ok' ? stdout.trimEnd() : `${reply.ename}: ${reply.evalue}`;
}

describe('a cell', () => {
  it('runs from the project root, wherever the notebook lies', async () => {
    expect(await output('(await import("node:fs")).existsSync("package.json")')).toBe('true');
  });

  it('imports a source file by its path from the root', async () => {
    const code = 'import { doubled } from "./test/kernel/fixtures/doubled.js";';
    expect(await output(`${code}\ndoubled(21)`)).toBe('42');
  });

  it('is checked strictly', async () => {
    expect(await output('const name: string = null;')).toBe(
      "TypeScriptError: 1:7 - Type 'null' is not assignable to type 'string'.",
    );
  });

  it('imports what a package names in its exports', async () => {
    expect(
      await output('import { Redis } from "ioredis"; import * as c from "chdb/connection"; typeof c'),
    ).toBe('object');
  });

  it('shows the value of its last expression', async () => {
    expect(await output('const total = 40 + 2;\ntotal')).toBe('42');
  });

  it('shows what it displays', async () => {
    const { published } = await kernel.run(
      'import { display } from "tslab";\ndisplay.raw("text/html", "<b>42</b>");',
    );
    expect(
      published.filter(({ type }) => type === 'display_data').map(({ content }) => content.data),
    ).toEqual([{ 'text/html': '<b>42</b>' }]);
  });

  it('waits for an await before a parenthesis', async () => {
    expect(await output('await (await Promise.resolve({ count: () => 7 })).count()')).toBe('7');
  });

  it('waits for a loop over an async iterable', async () => {
    expect(await output('for await (const day of [Promise.resolve("Mon"), "Tue"]) console.log(day);')).toBe(
      'Mon\nTue',
    );
  });
});

describe('a variable of an earlier cell', () => {
  beforeAll(async () => {
    await kernel.run('import path from "node:path"; const plan = "starter"; let used = 1;');
  });

  it('stands for key and value at once', async () => {
    expect(await output('JSON.stringify({ plan, rest: { used } })')).toBe(
      '{"plan":"starter","rest":{"used":1}}',
    );
  });

  it('does so when it was imported', async () => {
    expect(await output('typeof { path }.path.join')).toBe('function');
  });

  it('is assigned by taking an object apart', async () => {
    expect(await output('({ used } = { used: 5 }); used')).toBe('5');
  });

  it('is taken apart under other names', async () => {
    await kernel.run('const rows = [{ tenant_id: "acme-corp", deep: { plan: "pro" } }];');
    const code = `for (const { tenant_id: tenantId, deep: { plan: mine = "none" } } of rows)
      console.log(tenantId, mine, [tenantId].map((tenant_id) => ({ tenant_id })));`;
    expect(await output(code)).toBe("acme-corp pro [ { tenant_id: 'acme-corp' } ]");
  });

  it('takes a fallback there', async () => {
    expect(await output('({ used = 9 } = {} as { used?: number }); used')).toBe('9');
  });

  it('hides behind a new one of the same name', async () => {
    expect(await output('const plan = 3; JSON.stringify({ plan })')).toBe('{"plan":3}');
  });
});
