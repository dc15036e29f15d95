import { describe, expect, it, vi } from 'vitest';
import { progress } from '../../src/notebook/progress.js';
import { inKernel } from './kernel-stub.js';

describe('progress()', () => {
  it('replaces its line, so that the notebook keeps the last one', () => {
    const sent = inKernel();
    const report = progress('Loading events', 1_000_000);
    report(250_000);
    report(1_000_000);
    report.done('Loaded 1,000,000 events');
    expect(sent.map(({ content, update }) => [content.data['text/plain'], update])).toEqual([
      ['Loading events: 250,000 of 1,000,000 (25 %)', false],
      ['Loading events: 1,000,000 of 1,000,000 (100 %)', true],
      ['Loaded 1,000,000 events', true],
    ]);
    expect(new Set(sent.map(({ content }) => content.transient.display_id)).size).toBe(1);
  });

  it('sends no more than a message a percent', () => {
    const sent = inKernel();
    const report = progress('Loading events', 10_000);
    for (let done = 1; done <= 10_000; done++) report(done);
    expect(sent).toHaveLength(101);
  });

  it('prints the last line alone outside a kernel', () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const report = progress('Loading events', 100);
    report(50);
    report.done();
    expect(log.mock.calls).toEqual([['Loading events: 100']]);
    log.mockRestore();
  });
});
