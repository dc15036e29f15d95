import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { parseInput } from '../../src/input.js';
import type { LifecycleEntry } from '../../src/tenants/lifecycle-entry.js';
import { nextEntry, type TransitionRequest, transitionRequest } from '../../src/tenants/next-entry.js';
import { TransitionRefusedError } from '../../src/tenants/transition-refused-error.js';

const active: LifecycleEntry = {
  tenantId: 'acme-corp',
  version: 3,
  event: 'complete',
  from: 'provisioning',
  state: 'active',
  at: new Date('2025-11-15T12:00:00.000Z'),
  by: 'worker',
  plan: 'pro',
};
const upgrading: LifecycleEntry = {
  ...active,
  version: 4,
  event: 'upgrade',
  from: 'active',
  state: 'upgrading',
  targetPlan: 'enterprise',
};
const NOON = new Date('2025-11-16T12:00:00.000Z');

/** What one event makes of a tenant. */
const entryAfter = (
  current: LifecycleEntry | undefined,
  some: Partial<TransitionRequest>,
  now = NOON,
): LifecycleEntry =>
  nextEntry(current, { tenantId: 'acme-corp', event: 'suspend', by: 'dunning', ...some }, now);

describe('nextEntry()', () => {
  it('keeps the old plan until the new one is complete', () => {
    const begun = entryAfter(active, { event: 'upgrade', plan: 'enterprise' });
    expect(begun).toMatchObject({ state: 'upgrading', plan: 'pro', targetPlan: 'enterprise' });
    expect(begun.deadline).toEqual(new Date('2025-11-16T12:15:00.000Z'));
    const complete = entryAfter(begun, { event: 'complete', version: 4 });
    expect(complete).toMatchObject({ state: 'active', plan: 'enterprise', version: 5, deadline: undefined });
    const failed = entryAfter(begun, { event: 'fail', version: 4, reason: 'card_declined' });
    expect(failed).toMatchObject({ state: 'active', plan: 'pro', reason: 'card_declined' });
    expect(failed.targetPlan).toBeUndefined();
  });

  it.each(['cancel', 'delete'] as const)('brings back who went by %s, or leaves it there', (event) => {
    const gone = entryAfter(active, { event });
    const returning = entryAfter(gone, { event: 'win_back', plan: 'starter' });
    expect(entryAfter(returning, { event: 'fail', version: 5 })).toMatchObject({
      state: gone.state,
      plan: 'pro',
    });
    expect(entryAfter(returning, { event: 'complete', version: 5 })).toMatchObject({
      state: 'active',
      plan: 'starter',
    });
  });

  it('names the state and what is allowed when it refuses', () => {
    expect(() => entryAfter(upgrading, { event: 'delete' })).toThrow(
      'Cannot delete acme-corp: it is upgrading at version 4, where complete, fail may follow',
    );
    expect(() => entryAfter(undefined, { event: 'pay' })).toThrow(
      'Cannot pay acme-corp: there is no such tenant, where sign_up may follow',
    );
    const purging = entryAfter(entryAfter(active, { event: 'delete' }), { event: 'purge' });
    const purged = entryAfter(purging, { event: 'complete', version: 5 });
    expect(() => entryAfter(purged, {})).toThrow(
      'Cannot suspend acme-corp: it is purged at version 6, which is final',
    );
  });

  it('refuses a version that is over, and says that it changed', () => {
    const ask = () => entryAfter(upgrading, { event: 'complete', version: 2 });
    expect(ask).toThrow(TransitionRefusedError);
    expect(ask).toThrow('Cannot complete acme-corp: it was changed meanwhile; it is upgrading at version 4');
  });

  it('lets the log run forward when the clock goes back', () => {
    const back = new Date('2025-11-14T00:00:00Z');
    expect(entryAfter(active, {}, back).at).toEqual(active.at);
  });

  it('has no worker for a purge that could be overdue: only its end may follow', () => {
    const purging = entryAfter(entryAfter(active, { event: 'delete' }), { event: 'purge' });
    expect(purging).toMatchObject({ state: 'purging', deadline: undefined });
    for (const event of ['win_back', 'fail'] as const) {
      const ask = () => entryAfter(purging, { event, ...(event === 'fail' && { version: 5 }) });
      expect(ask).toThrow(`Cannot ${event} acme-corp: it is purging at version 5, where complete may follow`);
    }
  });
});

describe('transitionRequest', () => {
  const request = { tenantId: 'acme-corp', event: 'pay', by: 'webhook' };
  const events =
    'sign_up, pay, delete, complete, fail, retry, upgrade, downgrade, suspend, cancel, reactivate';
  it.each([
    [{ tenantId: 'A B' }, 'tenantId must be 1 to 63 of a-z'],
    [{ tenantId: "'; DROP TABLE lifecycle_log; --" }, 'tenantId must be 1 to 63 of a-z'],
    [{ event: 'explode' }, `event must be one of ${events}`],
    [{ event: 'expire' }, `event must be one of ${events}`],
    [{ event: 'constructor' }, `event must be one of ${events}`],
    [{ event: 'complete' }, 'version must be a whole number of at least 0, current value is undefined'],
    [{ event: 'upgrade' }, 'plan must be one of starter, pro, enterprise, current value is undefined'],
    [{ event: 'upgrade', plan: 'free' }, 'plan must be one of starter, pro, enterprise'],
    [{ plan: 'pro' }, 'plan is not a known field'],
    [{ version: 1.5 }, 'version must be a whole number of at least 0, current value is 1.5'],
    [{ timeoutMs: 0 }, 'timeoutMs must be a whole number from 1 to a year of milliseconds'],
    [{ timeoutMs: 1e15 }, 'timeoutMs must be a whole number from 1 to a year of milliseconds'],
    [{ by: 'anna@example.com' }, 'by must be 1 to 63 of a-z'],
    [{ reason: 'half \ud83d' }, 'reason must be well-formed Unicode'],
    [{ reason: 'x'.repeat(201) }, 'reason must be at most 200 characters'],
    [{ effectiveFrom: new Date() }, 'effectiveFrom is not a known field'],
  ])('refuses %o', (wrong, problem) => {
    const read = () => parseInput(transitionRequest, 'transition', { ...request, ...wrong });
    expect(read).toThrow(InvalidInputError);
    expect(read).toThrow(`Cannot accept transition: ${problem}`);
  });
});
