/** What is due, in the order in which it is due: one list for each clock. */
import type { Journal } from './journal.js';
import { type Row, Table, type TableOptions } from './table.js';

/** Something that happens when its clock reaches a time. */
export interface Timed extends Row {
  /** A test clock's id, or `live`. */
  readonly clock: string;
  /** Unix seconds. */
  readonly at: number;
  /** Breaks ties: the lower goes first; equal ones go in the order of their writing. */
  readonly rank: number;
}

/**
 * A table of what is due. Beside it stands, for each clock, a list in falling order of time, whose
 * end is next. A row that was changed or deleted leaves its old entry behind; it is dropped when
 * its turn comes.
 */
export class Timeline<R extends Timed> extends Table<R> {
  readonly #lists: Map<string, R[]>;

  constructor(name: string, journal: Journal, indexes: TableOptions<R>['indexes'] = {}) {
    const lists = new Map<string, R[]>();
    super(name, journal, {
      indexes,
      onWrite: (row) => {
        if (!lists.has(row.clock)) lists.set(row.clock, []);
        insert(lists.get(row.clock) as R[], row);
      },
    });
    this.#lists = lists;
  }

  /** All rows of a clock that are due at a time or before it, in order. */
  dueBy(clock: string, until: number): R[] {
    const rows: R[] = [];
    for (const row of [...(this.#lists.get(clock) ?? [])].reverse()) {
      if (row.at > until) break;
      if (this.get(row.id) === row) rows.push(row);
    }
    return rows;
  }

  /** The next row of a clock that is due at a time or before it. */
  next(clock: string, until: number): R | undefined {
    const list = this.#lists.get(clock) ?? [];
    for (let row = list.at(-1); row; row = list.at(-1)) {
      if (this.get(row.id) === row) return row.at <= until ? row : undefined;
      list.pop();
    }
    return undefined;
  }
}

function insert<R extends Timed>(list: R[], row: R): void {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = list[middle] as R;
    if (other.at > row.at || (other.at === row.at && other.rank > row.rank)) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, row);
}
