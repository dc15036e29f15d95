import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KernelClient, startKernel } from '../support/kernel-client.js';

const { StillRunning } = createRequire(import.meta.url)('../../.jupyter/kernel/still-running.cjs') as {
  StillRunning: new (
    publish: (type: string, content: Content) => void,
  ) => { begin(request: object): void; giveWay(): void; end(): void };
};
interface Content {
  readonly data?: { 'text/plain': string };
  readonly transient?: { display_id: string };
  readonly wait?: boolean;
}

describe('StillRunning', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function cell() {
    const sent: [type: string, content: Content][] = [];
    const line = new StillRunning((type, content) => sent.push([type, content]));
    line.begin({});
    return { line, sent, texts: () => sent.map(([, { data, wait }]) => data?.['text/plain'] ?? { wait }) };
  }

  it('says each second how long the cell has been running, in one line', () => {
    const { sent, texts } = cell();
    vi.advanceTimersByTime(3_400);
    expect(texts()).toEqual(['… running, 1 s', '… running, 2 s', '… running, 3 s']);
    expect(sent.map(([type]) => type)).toEqual([
      'display_data',
      'update_display_data',
      'update_display_data',
    ]);
    expect(new Set(sent.map(([, { transient }]) => transient?.display_id)).size).toBe(1);
  });

  it('leaves its place to the first output, and does not come back', () => {
    const { line, texts } = cell();
    vi.advanceTimersByTime(1_500);
    line.giveWay();
    vi.advanceTimersByTime(5_000);
    line.giveWay();
    line.end();
    expect(texts()).toEqual(['… running, 1 s', { wait: true }]);
  });

  it('goes with a cell that shows nothing', () => {
    const { line, texts } = cell();
    vi.advanceTimersByTime(1_500);
    line.end();
    vi.advanceTimersByTime(5_000);
    expect(texts()).toEqual(['… running, 1 s', { wait: false }]);
  });

  it('is not seen in a quick cell', () => {
    const { line, texts } = cell();
    vi.advanceTimersByTime(900);
    line.giveWay();
    line.end();
    expect(texts()).toEqual([]);
  });
});

describe('a slow cell', () => {
  let kernel: KernelClient;
  beforeAll(async () => {
    kernel = await startKernel();
  });
  afterAll(() => kernel.close());

  it.each([
    ['console.log("done")', 'stream'],
    ['throw new Error("late")', 'error'],
  ])('is seen to run until its output, of %s', async (end, type) => {
    const code = `await new Promise((ready) => setTimeout(ready, 1_500));\n${end};`;
    const { published } = await kernel.run(code);
    // Compiling is a part of it: on a busy machine the line is updated, too.
    const types = published.map((message) => message.type).filter((each) => !each.startsWith('update'));
    expect(types).toEqual(['execute_input', 'display_data', 'clear_output', type]);
    expect(published[1]?.content.data).toEqual({ 'text/plain': expect.stringMatching(/^… running, \d+ s$/) });
  });
});
