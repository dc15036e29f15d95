/** Ending several things: one that fails to must not leave the others running. */
import { messageOf } from './say-failure.js';

/**
 * Closes one after the other, whatever fails.
 *
 * @throws what failed; an AggregateError whose message has all of it, where several did
 * @example await closeAll(() => server.close(), () => tracker.close());
 */
export async function closeAll(...closes: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closes) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join('; '));
  if (errors.length === 1) throw errors[0];
}
