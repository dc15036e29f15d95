/**
 * All or nothing, for every call and every step of a clock: each write is noted with the way back,
 * and work that throws is taken back, newest write first. Work is synchronous, so that nothing
 * else can happen between its first write and its last.
 */

/** A row that was written: its table, its id, and its content; null when it was deleted. */
export type Change = readonly [table: string, id: string, row: unknown];

/** Work that was done, and taken back since it could not be saved: it may succeed another time. */
export class NotSavedError extends Error {
  override readonly name = 'NotSavedError';
}

export class Journal {
  #undo: (() => void)[] = [];
  readonly #touched = new Map<string, () => Change>();
  #depth = 0;

  /** @param save receives what each finished piece of work has changed; if it throws, the work is taken back */
  constructor(private readonly save: (changes: readonly Change[]) => void) {}

  /** Notes a write; `current` tells at the end what the row has become. */
  note(key: string, undo: () => void, current: () => Change): void {
    this.#undo.push(undo);
    this.#touched.set(key, current);
  }

  /** Notes something beside the tables that goes with the work. */
  onUndo(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Does the work and keeps its changes, or none of them if it throws. */
  atomic<T>(work: () => T): T {
    const mark = this.#undo.length;
    this.#depth += 1;
    try {
      const result = work();
      if (this.#depth === 1) this.#keep();
      return result;
    } catch (error) {
      this.#rollBack(mark);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Does the work, takes all its changes back, and gives its result: what would happen if. */
  tentative<T>(work: () => T): T {
    const mark = this.#undo.length;
    try {
      return work();
    } finally {
      this.#rollBack(mark);
    }
  }

  /** The way back is forgotten only when the changes are saved: until then they can be taken back. */
  #keep(): void {
    const changes = [...this.#touched.values()].map((current) => current());
    try {
      if (changes.length > 0) this.save(changes);
    } catch (error) {
      throw new NotSavedError((error as Error).message, { cause: error });
    }
    this.#touched.clear();
    this.#undo = [];
  }

  #rollBack(mark: number): void {
    for (const undo of this.#undo.splice(mark).reverse()) undo();
    if (mark === 0) this.#touched.clear();
  }
}
