/** Rows of one kind, found by id or by an index, every write of which can be taken back. */
import { missing } from '../http/api-error.js';
import type { Journal } from './journal.js';

export interface Row {
  readonly id: string;
}

/** What an index looks a row up by; nothing leaves the row out. */
type Key<R> = (row: R) => string | null | undefined;

export interface TableOptions<R> {
  readonly indexes?: Readonly<Record<string, Key<R>>>;
  /** Called with each row that is written, also when a write is taken back. */
  readonly onWrite?: (row: R) => void;
}

/**
 * Rows stay in the order in which they were first written, and are never changed in place.
 *
 * @example
 * customers.put({ ...customer, balance: 0 });
 * customers.one('cus_1'); // or an ApiError 404, resource_missing
 */
export class Table<R extends Row> {
  #rows = new Map<string, R>();
  /** Where each row stands: rows that come back when work is undone take their old places. */
  readonly #places = new Map<string, number>();
  #written = 0;
  readonly #indexes: Map<string, { key: Key<R>; ids: Map<string, Set<string>> }>;
  readonly #onWrite: ((row: R) => void) | undefined;

  /** @param name as Stripe's messages say it, e.g. `customer` */
  constructor(
    readonly name: string,
    private readonly journal: Journal,
    { indexes = {}, onWrite }: TableOptions<R> = {},
  ) {
    this.#indexes = new Map(Object.entries(indexes).map(([index, key]) => [index, { key, ids: new Map() }]));
    this.#onWrite = onWrite;
  }

  get(id: string | null | undefined): R | undefined {
    return id ? this.#rows.get(id) : undefined;
  }

  /** @throws ApiError 404 when there is no such row. */
  one(id: string, param = 'id'): R {
    const row = this.#rows.get(id);
    if (row) return row;
    throw missing(this.name, id, param);
  }

  put(row: R): R {
    this.#write(row.id, row);
    return row;
  }

  /** Replaces some fields of a row. */
  change(id: string, fields: Partial<R>): R {
    return this.put({ ...this.one(id), ...fields });
  }

  delete(id: string): void {
    if (this.#rows.has(id)) this.#write(id, undefined);
  }

  /** The rows that an index holds under a key, oldest first. */
  by(index: string, key: string): R[] {
    return [...(this.#indexes.get(index)?.ids.get(key) ?? [])].map((id) => this.one(id));
  }

  /** The rows that may have these values: by the first index that is named like one of them, or all. */
  candidates(filters: readonly (readonly [name: string, value: unknown])[]): R[] {
    const [name, key] = filters.find(([filter]) => this.#indexes.has(filter)) ?? [];
    return name === undefined ? this.all() : this.by(name, String(key));
  }

  /** All rows, oldest first, one after the other. */
  rows(): Iterable<R> {
    return this.#rows.values();
  }

  all(): R[] {
    return [...this.#rows.values()];
  }

  /** A row as it was saved; nothing is noted. */
  load(id: string, row: R | null): void {
    this.#set(id, row ?? undefined);
  }

  #write(id: string, row: R | undefined): void {
    const before = this.#rows.get(id);
    const place = this.#places.get(id);
    this.#set(id, row);
    this.journal.note(
      `${this.name}/${id}`,
      () => this.#restore(id, before, place),
      () => [this.name, id, this.#rows.get(id) ?? null],
    );
  }

  /** Takes a write back: the row stands where it stood, in the table and in its indexes. */
  #restore(id: string, row: R | undefined, place = 0): void {
    const comesBack = !this.#rows.has(id);
    this.#set(id, row);
    if (!row) return;
    this.#places.set(id, place);
    const inOrder = (one: string, other: string) =>
      (this.#places.get(one) ?? 0) - (this.#places.get(other) ?? 0);
    if (comesBack) this.#rows = new Map([...this.#rows].sort(([one], [other]) => inOrder(one, other)));
    for (const { key, ids } of this.#indexes.values()) {
      const to = key(row);
      if (to) ids.set(to, new Set([...(ids.get(to) ?? [])].sort(inOrder)));
    }
  }

  #set(id: string, row: R | undefined): void {
    const before = this.#rows.get(id);
    if (row) this.#rows.set(id, row);
    else this.#rows.delete(id);
    if (!row) this.#places.delete(id);
    else if (!before) this.#places.set(id, ++this.#written);
    for (const { key, ids } of this.#indexes.values()) {
      const [from, to] = [before && key(before), row && key(row)];
      if (from === to) continue;
      if (from) ids.get(from)?.delete(id);
      if (to) ids.set(to, (ids.get(to) ?? new Set()).add(id));
    }
    if (row) this.#onWrite?.(row);
  }
}
