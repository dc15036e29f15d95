import { describe, expect, it } from 'vitest';
import { allOf, type Service } from '../src/service.js';

const redis: Service<number> = { mode: 'embedded', client: 1, address: 'redis://h' };
const stripe: Service<string> = { mode: 'configured', client: 'two', address: 'https://s' };

describe('allOf()', () => {
  it('has the clients by name, and is configured if one of them is', () => {
    expect(allOf({ redis, stripe })).toEqual({
      mode: 'configured',
      client: { redis: 1, stripe: 'two' },
      address: 'redis://h, https://s',
    });
    expect(allOf({ redis }).mode).toBe('embedded');
  });

  it('is off if one of them is, for its reason', () => {
    const off: Service<never> = { mode: 'off', skip: 'OFFLINE=true' };
    expect(allOf({ redis, off, stripe })).toEqual({ mode: 'off', skip: 'OFFLINE=true' });
  });
});
