/** Bodies of requests: so large at most, and JSON. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { InvalidInputError } from '../errors.js';
import { problem } from './problem.js';

/** A body of another type, for a 415. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';

  constructor(what: string) {
    super(`Send the ${what} as application/json`);
  }
}

/**
 * @param what names the body in errors, e.g. `signup`
 * @throws NotJsonError for another type; InvalidInputError for what is no JSON.
 * @example parseInput(schema, 'signup', await jsonBody(context, 'signup'))
 */
export async function jsonBody(context: Context, what: string): Promise<unknown> {
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) throw new NotJsonError(what);
  try {
    return await context.req.json();
  } catch (error) {
    throw new InvalidInputError(what, 'body', 'must be JSON', { cause: error });
  }
}

/** Answers 413 to larger bodies, before they are read. */
export const limitBody = (maxSize: number) =>
  bodyLimit({ maxSize, onError: () => problem(413, `The body must be at most ${maxSize} bytes`) });
