/** The table of src/local-stripe/README.md: which calls there are, and which parameters each takes. */
import type { z } from 'zod';
import { paging } from '../../src/local-stripe/http/parameters.js';
import type { Route } from '../../src/local-stripe/http/route.js';

/**
 * One row for each call, as GitHub's Markdown.
 *
 * @example supportedCalls(ROUTES).split('\n')[2] // '| `customers.create` | `POST /v1/customers` | …'
 */
export function supportedCalls(routes: readonly Route[]): string {
  const rows = routes.map(({ call, method, path, params }) => {
    const names = namesOf(params)
      .filter((name) => !(name in paging))
      .join(', ');
    return `| \`${call}\` | \`${method} ${path}\` | ${names} |`;
  });
  return ['| SDK | path | parameters |', '| --- | --- | --- |', ...rows].join('\n');
}

/** What zod's schemas are made of, as far as parameters need it. */
interface Inside {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Record<string, z.ZodType>;
  readonly entries?: Record<string, string>;
}

/** `items[].price`, `status: draft|open`, …; cursors, which all lists take, are left out. */
function namesOf(schema: z.ZodType, prefix = ''): string[] {
  const { type, innerType, in: before, out, element, shape, entries } = schema.def as unknown as Inside;
  if (shape) {
    return Object.entries(shape).flatMap(([name, inner]) =>
      namesOf(inner, prefix ? `${prefix}.${name}` : name),
    );
  }
  if (innerType) return namesOf(innerType, prefix);
  if (element) return namesOf(element, `${prefix}[]`);
  if (type === 'pipe') {
    const isReader = (before?.def as unknown as Inside | undefined)?.type === 'transform';
    return namesOf((isReader ? out : before) as z.ZodType, prefix);
  }
  if (entries) {
    const values = Object.keys(entries);
    return [values.join() === 'true,false' ? prefix : `${prefix}: ${values.join('\\|')}`];
  }
  return [prefix];
}
