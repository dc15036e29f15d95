import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CellResult, type KernelClient, startKernel } from '../support/kernel-client.js';

/** What a learner sees when a cell fails, and what becomes of the cells behind it. */
let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

function trace({ reply }: CellResult): string {
  return (reply.traceback as string[]).join('\n');
}

describe('a cell that throws', () => {
  it('answers with the name, the message and the line of the cell', async () => {
    const result = await kernel.run('const limit = 3;\n\nthrow new RangeError("over " + limit);');
    expect(result.reply).toMatchObject({ status: 'error', ename: 'RangeError', evalue: 'over 3' });
    expect(trace(result)).toMatch(
      /^RangeError: over 3\n {2}3 \| throw new RangeError\("over " \+ limit\);\n {4}at cell\[\d+]:3:7$/,
    );
  });

  it('shows the same in an error message and prints nothing', async () => {
    const { published, reply, stderr } = await kernel.run('throw new TypeError("no")');
    const { ename, evalue, traceback } = reply;
    expect(published.filter(({ type }) => type === 'error').map(({ content }) => content)).toEqual([
      { ename, evalue, traceback },
    ]);
    expect(stderr).toBe('');
  });

  it('follows a function of an earlier cell to its own line', async () => {
    await kernel.run(
      'function half(n: number): number {\n  if (n % 2) throw new Error("odd");\n  return n / 2;\n}',
    );
    expect(trace(await kernel.run('console.log(half(4));\nhalf(3);'))).toMatch(
      /2 \| {3}if \(n % 2\) .*\n {4}at half \(cell\[\d+]:2:\d+\)\n {4}at cell\[\d+]:2:1$/,
    );
  });

  it('shows what caused it', async () => {
    const result = await kernel.run(
      'throw new Error("outer", { cause: new TypeError("inner", { cause: "root" }) });',
    );
    expect(trace(result)).toMatch(
      /^Error: outer[\s\S]*\nCaused by TypeError: inner[\s\S]*\nCaused by 'root'$/,
    );
  });

  it('shows every error of an aggregate', async () => {
    const result = await kernel.run(
      'await Promise.any([Promise.reject(new Error("one")), Promise.reject(2)])',
    );
    expect(result.reply.ename).toBe('AggregateError');
    expect(trace(result)).toMatch(/\nOne of them Error: one[\s\S]*\nOne of them 2$/);
  });

  it('names the code of an error that has one', async () => {
    const { reply } = await kernel.run('throw Object.assign(new Error("refused"), { code: "E_CLOSED" })');
    expect(reply.evalue).toBe('refused [E_CLOSED]');
  });

  it('may throw what is no error', async () => {
    expect((await kernel.run('throw { plan: "gold" }')).reply).toMatchObject({
      ename: 'Thrown',
      evalue: "{ plan: 'gold' }",
    });
  });
});

describe('a cell with type errors', () => {
  it('lists each with its place and its line', async () => {
    const result = await kernel.run('const a: string = 1;\nconst b: number = "2";');
    expect(result.reply.ename).toBe('TypeScriptError');
    expect(trace(result)).toBe(
      [
        "TypeScriptError: 1:7 - Type 'number' is not assignable to type 'string'.",
        '  1 | const a: string = 1;',
        '    |       ^',
        "2:7 - Type 'string' is not assignable to type 'number'.",
        '  2 | const b: number = "2";',
        '    |       ^',
      ].join('\n'),
    );
  });

  it('does not run', async () => {
    const { stdout } = await kernel.run('console.log("ran");\nconst a: string = 1;');
    expect(stdout).toBe('');
  });
});

describe('execution counts', () => {
  it('grow by one a cell, failed cells included', async () => {
    const first = (await kernel.run('1')).reply.execution_count as number;
    const { published, reply } = await kernel.run('throw new Error("no")');
    expect(reply.execution_count).toBe(first + 1);
    expect(published[0]).toMatchObject({ type: 'execute_input', content: { execution_count: first + 1 } });
    expect((await kernel.run('1')).reply.execution_count).toBe(first + 2);
  });
});

describe('cells that were sent behind a failing one', () => {
  const statuses = (results: CellResult[]) => results.map(({ reply }) => reply.status);

  it('are aborted when it stops on errors', async () => {
    const sent = [kernel.run('throw new Error("stop")'), kernel.run('1'), kernel.run('2')];
    expect(statuses(await Promise.all(sent))).toEqual(['error', 'aborted', 'aborted']);
    expect((await kernel.run('3')).reply.status).toBe('ok');
  });

  it('run when it does not', async () => {
    const sent = [kernel.run('throw new Error("expected")', { stopOnError: false }), kernel.run('1')];
    expect(statuses(await Promise.all(sent))).toEqual(['error', 'ok']);
  });
});
