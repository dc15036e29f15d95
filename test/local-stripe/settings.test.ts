import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';

describe('an option that makes no sense', () => {
  it.each([
    ['endOfRetries', 'cancel', "canceled, unpaid or past_due, current value is 'cancel'"],
    ['endOfRetries', null, 'canceled, unpaid or past_due, current value is null'],
    ['searchLagSeconds', -5, 'whole seconds, 0 or more, current value is -5'],
    ['searchLagSeconds', Number.NaN, 'whole seconds, 0 or more, current value is NaN'],
    ['usageGraceHours', Number.NaN, '1 to 72 whole hours, current value is NaN'],
    ['usageGraceHours', 0, '1 to 72 whole hours, current value is 0'],
    ['usageGraceHours', 1.5, '1 to 72 whole hours, current value is 1.5'],
    ['usageGraceHours', 73, '1 to 72 whole hours, current value is 73'],
    ['retryDays', [0.5], 'whole days that rise, current value is 0.5'],
    ['retryDays', [3, 3], 'whole days that rise, current value is 3, 3'],
    ['retryDays', [-1], 'whole days that rise, current value is -1'],
    ['retryDays', 3, 'whole days that rise, current value is 3'],
    ['clockLimits', 'no', "true or false, current value is 'no'"],
  ])('%s: %j is a RangeError that says so', (name, value, rest) => {
    const open = () => createLocalStripe({ [name]: value });
    expect(open).toThrow(RangeError);
    expect(open).toThrow(`Cannot open a local Stripe: ${name} must be ${rest}`);
  });

  it('is one that does not exist', () => {
    const open = () => createLocalStripe({ clockLimit: false } as object);
    expect(open).toThrow(RangeError);
    expect(open).toThrow('clockLimit is not an option, current value is false');
  });

  it('is a snapshot together with a file, which has its own state', () => {
    const open = () => createLocalStripe({ snapshot: createLocalStripe().snapshot(), file: 'both.jsonl' });
    expect(open).toThrow(RangeError);
    expect(open).toThrow('snapshot must be left out with a file');
    expect(existsSync('both.jsonl')).toBe(false);
  });

  it('is not one that is left open, or at the edge', () => {
    createLocalStripe({ retryDays: [], searchLagSeconds: 0, usageGraceHours: 72, endOfRetries: 'past_due' });
    createLocalStripe({ retryDays: undefined, seed: 'x', now: () => new Date() } as object);
  });
});
