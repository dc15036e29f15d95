import { describe, expect, it } from 'vitest';
import { type Finding, runCheck } from '../../src/checks/check.js';
import type { Service } from '../../src/service.js';

const on: Service<string> = { mode: 'embedded', client: 'the client', address: 'here' };
const run = (service: Service<string>, test: (client: string) => Promise<Finding>) =>
  runCheck(service, { id: 'a', title: 'A', expected: ['e'], advice: 'mend it', test });

describe('runCheck()', () => {
  it('passes where there are no problems, with the evidence', async () => {
    const result = await run(on, async (client) => ({
      problems: [],
      evidence: [client],
      measured: { n: 1 },
    }));
    expect(result).toMatchObject({
      status: 'pass',
      evidence: ['the client'],
      expected: [],
      measured: { n: 1 },
    });
    expect(result).not.toHaveProperty('advice');
    expect(result.seconds).toBeGreaterThanOrEqual(0);
  });

  it('fails with the problems and the advice', async () => {
    const result = await run(on, async () => ({ problems: ['p', 'q'], evidence: ['fine'] }));
    expect(result).toMatchObject({ status: 'fail', evidence: ['p', 'q'], advice: 'mend it', expected: [] });
  });

  it('skips with the reason and what was expected, and does not run the test', async () => {
    const result = await run({ mode: 'off', skip: 'no engine' }, () => {
      throw new Error('ran');
    });
    expect(result).toMatchObject({ status: 'skip', evidence: ['no engine'], expected: ['e'], measured: {} });
  });

  it.each([
    ['an error', new Error('table is gone'), 'table is gone'],
    ['anything else', 'odd', 'odd'],
  ])('turns %s that the test throws into a failure', async (_, thrown, sentence) => {
    const result = await run(on, async () => {
      throw thrown;
    });
    expect(result).toMatchObject({ status: 'fail', evidence: [sentence], advice: 'mend it' });
  });
});
