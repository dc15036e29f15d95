/** A route: the one description from which calls are found, checked, answered and documented. */
import { z } from 'zod';
import type { Account } from '../state/account.js';
import type { Row, Table } from '../state/table.js';
import type { ApiError } from './api-error.js';
import { pageOf } from './page.js';
import { isWithin, paging } from './parameters.js';

export interface Route {
  readonly method: string;
  /** e.g. `/v1/customers/:id` */
  readonly path: string;
  /** The SDK's method, e.g. `customers.create` */
  readonly call: string;
  readonly params: z.ZodObject;
  /** Gives the object to answer, `id` being that of the path, or an error that is answered while its changes are kept. */
  readonly run: (account: Account, params: never, id: string) => object | ApiError;
}

type Output<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/**
 * @param signature e.g. `POST /v1/customers/:id`
 * @param shape the parameters; another one is refused
 * @example route('GET /v1/balance', 'balance.retrieve', {}, () => ({ object: 'balance' }))
 */
export function route<Shape extends z.ZodRawShape>(
  signature: `${'GET' | 'POST' | 'DELETE'} /${string}`,
  call: string,
  shape: Shape,
  run: (account: Account, params: Output<Shape>, id: string) => object | ApiError,
): Route {
  const [method = '', path = ''] = signature.split(' ');
  return { method, path, call, params: z.strictObject(shape), run };
}

/** A list with cursors; `rows` come oldest first and are answered newest first. */
export function pageRoute<Shape extends z.ZodRawShape>(
  path: `/${string}`,
  call: string,
  shape: Shape,
  rows: (account: Account, params: Output<Shape>, id: string) => readonly Row[],
): Route {
  return route(`GET ${path}`, call, { ...shape, ...paging }, (account, params, id) => {
    const found = [...rows(account, params as unknown as Output<Shape>, id)].reverse();
    const url = path.replace(':id', () => id);
    return pageOf(found, params as Output<typeof paging>, url);
  });
}

type ListRest<R extends Row, Shape extends Readonly<Record<string, z.ZodType>>> = [
  shape: Shape,
  table: (tables: Account['tables']) => Table<R>,
  special?: {
    readonly [Name in keyof Shape]?: (row: R, value: NonNullable<z.output<Shape[Name]>>) => boolean;
  },
];

/**
 * The list of a table. A filter is named like the field that must have its value; `created` takes
 * bounds; `special` says what the others mean.
 */
export function listRoute<R extends Row, Shape extends Readonly<Record<string, z.ZodType>>>(
  path: `/${string}`,
  call: string,
  ...[shape, table, special = {}]: ListRest<R, Shape>
): Route {
  return pageRoute(path, call, shape, ({ tables }, params) => {
    const {
      limit: _,
      starting_after: after,
      ending_before: before,
      ...own
    } = params as Output<typeof paging>;
    const filters = Object.entries(own).filter(([, value]) => value !== undefined);
    // A cursor marks its place although its row may pass no longer; it is not on its page.
    const isCursor = ({ id }: R) => id === after || id === before;
    const passes = (row: R) =>
      filters.every(([name, value]) => {
        if (special[name]) return special[name](row, value as never);
        if (name === 'created') return isWithin((row as { created?: number }).created ?? 0, value as number);
        return row[name as keyof R] === value;
      });
    return table(tables)
      .candidates(filters)
      .filter((row) => passes(row) || isCursor(row));
  });
}

/** One object by its id, and the list of them. */
export function readRoutes<R extends Row, Shape extends Readonly<Record<string, z.ZodType>>>(
  path: `/${string}`,
  name: string,
  ...rest: ListRest<R, Shape>
): Route[] {
  const [, table] = rest;
  return [retrieveRoute(path, `${name}.retrieve`, table), listRoute(path, `${name}.list`, ...rest)];
}

/** One object by its id. */
export function retrieveRoute(
  path: `/${string}`,
  call: string,
  table: (tables: Account['tables']) => Pick<Table<Row>, 'one'>,
): Route {
  return route(`GET ${path}/:id`, call, {}, ({ tables }, _params, id) => table(tables).one(id));
}
