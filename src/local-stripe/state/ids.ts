/** Ids that look like Stripe's: random, or the same in every run when there is a seed. */
import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Kinds whose ids are short at Stripe. */
const SHORT = new Set(['cus', 'prod', 'si', 'req']);

/**
 * A source of ids. `count` goes into the saved state, so that a seeded source continues where it was.
 *
 * @example new Ids('lesson').next('cus') // 'cus_' and fourteen letters, always the same
 */
export class Ids {
  count = 0;

  constructor(private readonly seed?: string) {}

  next(prefix: string): string {
    const letters = this.letters(SHORT.has(prefix) ? 14 : 23);
    return `${prefix}_${SHORT.has(prefix) ? '' : '1'}${letters}`;
  }

  letters(length: number): string {
    this.count += 1;
    const bytes =
      this.seed === undefined
        ? randomBytes(length)
        : createHash('sha256').update(`${this.seed}/${this.count}`).digest().subarray(0, length);
    return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  }
}
