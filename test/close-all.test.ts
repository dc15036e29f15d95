import { describe, expect, it } from 'vitest';
import { closeAll } from '../src/close-all.js';

const fails = (message: string) => async () => {
  throw new Error(message);
};

describe('closeAll()', () => {
  it('closes one after the other', async () => {
    const closed: string[] = [];
    const slow = async () => {
      await new Promise(setImmediate);
      closed.push('first');
    };
    await closeAll(slow, () => closed.push('second'));
    expect(closed).toEqual(['first', 'second']);
  });

  it('closes the others where one fails, and throws what failed', async () => {
    const closed: string[] = [];
    const error = new RangeError('stuck');
    const stuck = () => {
      throw error;
    };
    await expect(closeAll(stuck, () => closed.push('last'))).rejects.toBe(error);
    expect(closed).toEqual(['last']);
  });

  it('tells of all that failed', async () => {
    const both = closeAll(fails('the disk is full'), fails('Redis is away'));
    await expect(both).rejects.toThrow('the disk is full; Redis is away');
    await expect(both).rejects.toBeInstanceOf(AggregateError);
  });
});
