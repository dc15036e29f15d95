import { expect, it, vi } from 'vitest';
import { messageOf, sayFailure } from '../src/say-failure.js';

it('messageOf() gives what was thrown in words, also where that is no error', () => {
  expect([new RangeError('too far'), 'gone', undefined].map(messageOf)).toEqual([
    'too far',
    'gone',
    'undefined',
  ]);
});

it('sayFailure() prints one line, and the promise goes on with nothing', async () => {
  const said = vi.spyOn(console, 'error').mockReturnValue();
  const failed = Promise.reject(new Error('Redis is away'));
  expect(await failed.catch(sayFailure('The log waits'))).toBeUndefined();
  expect(said.mock.calls).toEqual([['The log waits: Redis is away']]);
  said.mockRestore();
});
