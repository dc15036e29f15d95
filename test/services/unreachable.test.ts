import { describe, expect, it } from 'vitest';
import { unreachable } from '../../src/services/unreachable.js';

const endpoint = { setting: 'REDIS_URL', url: new URL('redis://me:secret@h:6379') };
const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

describe('unreachable()', () => {
  it.each([
    [withCode('', 'ECONNREFUSED'), 'the connection was refused'],
    [withCode('getaddrinfo ENOTFOUND h', 'ENOTFOUND'), 'there is no such host'],
    [
      new AggregateError([withCode('', 'ECONNREFUSED'), withCode('', 'ECONNREFUSED')], ''),
      'the connection was refused',
    ],
    [new Error('connect ETIMEDOUT'), 'there was no answer in time'],
    [new Error('Command timed out'), 'there was no answer in time'],
    [new Error('WRONGPASS invalid username-password pair'), 'the user or password is wrong'],
    [new Error('NOAUTH Authentication required.'), 'the user or password is wrong'],
    [new Error('socket hang up'), 'the server closed the connection'],
    [withCode('x', 'DEPTH_ZERO_SELF_SIGNED_CERT'), 'its certificate was not accepted'],
    [new Error('ERR odd\nsecond line'), 'it answered "ERR odd"'],
    ['just text', 'it answered "just text"'],
  ])('words %o', (error, sentence) => {
    expect(unreachable(endpoint, error)).toBe(`REDIS_URL: ${sentence} at h:6379`);
  });
});
