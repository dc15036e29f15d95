/** A route: the one description from which calls are found, checked, answered and documented. */
import { z } from 'zod';
import type { Account } from '../state/account.js';
import type { Row, Table } from '../state/table.js';
import type { ApiError } from './api-error.js';
import { pageOf } from './page.js';
import { paging } from './parameters.js';

export interface Route {
  readonly method: string;
  /** e.g. `/v1/customers/:id` */
  readonly path: string;
  /** The SDK's method, e.g. `customers.create` */
  readonly call: string;
  readonly params: z.ZodObject;
  /** Gives the object to answer, or an error that is answered while its changes are kept. */
  readonly run: (account: Account, params: never, ...ids: string[]) => object | ApiError;
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
  run: (account: Account, params: Output<Shape>, ...ids: string[]) => object | ApiError,
): Route {
  const [method = '', path = ''] = signature.split(' ');
  return { method, path, call, params: z.strictObject(shape), run };
}

/** A list with cursors; `rows` come oldest first and are answered newest first. */
export function listRoute<Shape extends z.ZodRawShape>(
  path: string,
  call: string,
  shape: Shape,
  rows: (account: Account, params: Output<Shape>, ...ids: string[]) => readonly Row[],
): Route {
  return route(`GET ${path}` as 'GET /', call, { ...shape, ...paging }, (account, params, ...ids) => {
    const url = path.replace(/:\w+/g, () => ids[0] ?? '');
    const page = params as z.output<z.ZodObject<typeof paging>>;
    return pageOf([...rows(account, params as Output<Shape>, ...ids)].reverse(), page, url);
  });
}

/** One object by its id. */
export function retrieveRoute(
  path: string,
  call: string,
  table: (account: Account) => Pick<Table<Row>, 'one'>,
): Route {
  return route(`GET ${path}/:id` as 'GET /', call, {}, (account, _params, id = '') => table(account).one(id));
}
