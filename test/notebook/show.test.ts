import { expect, it, vi } from 'vitest';
import { show } from '../../src/notebook/show.js';
import { inKernel } from './kernel-stub.js';

const bundle = { 'text/html': '<b>28,450</b>', 'text/plain': '28,450' };

it('sends one output with every form in the kernel', () => {
  const sent = inKernel();
  show(bundle, { 'text/html': { isolated: true } });
  expect(sent).toEqual([
    {
      content: { data: bundle, metadata: { 'text/html': { isolated: true } }, transient: {} },
      update: false,
    },
  ]);
});

it('prints the plain text outside a kernel', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  show(bundle);
  expect(log.mock.calls).toEqual([['28,450']]);
});
