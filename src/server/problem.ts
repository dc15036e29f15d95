/** Errors on the wire: RFC 9457 problem details. */

/** Words of the statuses that the application answers. */
const TITLES = {
  400: 'Bad request',
  401: 'Not authenticated',
  402: 'Payment required',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Not possible',
  429: 'Quota exceeded',
  500: 'Internal error',
  503: 'Service unavailable',
} as const;

export type ProblemStatus = keyof typeof TITLES;

/**
 * @param detail one sentence for the caller; never a stack or a secret
 * @param more what a program may want to know, e.g. the current state
 * @example problem(404, 'There is no route GET /nowhere')
 */
export function problem(
  status: ProblemStatus,
  detail: string,
  headers: Record<string, string> = {},
  more: Record<string, unknown> = {},
): Response {
  const body = { type: 'about:blank', title: TITLES[status], status, detail, ...more };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  });
}
