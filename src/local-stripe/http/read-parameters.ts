/** Checks parameters against a route's schema, and says what is wrong with them in Stripe's words. */
import type { z } from 'zod';
import { type ApiError, invalid } from './api-error.js';

/**
 * @throws ApiError 400: `parameter_unknown`, `parameter_missing`, `parameter_invalid_empty`,
 *   `parameter_invalid_integer`, or without a code.
 */
export function readParameters<T>(schema: z.ZodType<T>, form: unknown): T {
  const result = schema.safeParse(form, { reportInput: true });
  if (result.success) return result.data;
  throw errorOf(result.error.issues[0] as z.core.$ZodIssue);
}

function errorOf(issue: z.core.$ZodIssue): ApiError {
  if (issue.code === 'unrecognized_keys') {
    const param = nameOf([...issue.path, issue.keys[0] ?? '']);
    const message = `Received unknown parameter: ${param}. If Stripe knows it, it is not supported by the local Stripe.`;
    return invalid(message, param, 'parameter_unknown');
  }
  const param = nameOf(issue.path);
  if (issue.code === 'invalid_union') {
    const inner =
      issue.errors.flat().find(({ code }) => code === 'unrecognized_keys') ?? issue.errors.flat()[0];
    if (inner) return errorOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue);
  }
  if (issue.input === undefined) {
    return invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
  }
  if (issue.input === '') {
    const message = `You passed an empty string for '${param}'. It cannot be unset.`;
    return invalid(message, param, 'parameter_invalid_empty');
  }
  const code = issue.message === 'Invalid integer' ? 'parameter_invalid_integer' : undefined;
  return invalid(`Invalid ${param}: ${issue.message}${known(issue)}`, param, code);
}

/** A value that Stripe may know and the local one does not must not look like a slip of the caller's. */
function known(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_value' ? '; another value is not supported by the local Stripe.' : '.';
}

/** `['items', 0, 'price']` → `items[0][price]` */
function nameOf(path: readonly PropertyKey[]): string {
  const [first = '', ...rest] = path.map(String);
  return [first, ...rest.map((part) => `[${part}]`)].join('');
}
