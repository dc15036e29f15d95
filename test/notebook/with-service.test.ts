import { describe, expect, it, vi } from 'vitest';
import { withService } from '../../src/notebook/with-service.js';
import type { Service } from '../../src/service.js';

const on: Service<{ answer: number }> = {
  mode: 'embedded',
  client: { answer: 42 },
  address: 'in the process',
};
const off = { mode: 'off', skip: 'OFFLINE=true' } as Service<{ answer: number }>;

describe('withService()', () => {
  it('gives what the work gives', async () => {
    expect(await withService(on, async (client) => client.answer)).toBe(42);
  });

  it('says why it skips and what would be seen', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(
      await withService(off, (client) => client.answer, { expected: ['42', 'and no more'] }),
    ).toBeUndefined();
    expect(log.mock.calls).toEqual([['⚠️  Skipping (OFFLINE=true)\n  expected: 42\n  expected: and no more']]);
    log.mockRestore();
  });

  it('lets errors of the work through', async () => {
    await expect(withService(on, () => Promise.reject(new Error('no table')))).rejects.toThrow('no table');
  });
});
