import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Small notebooks in a folder of their own, for tests of what runs notebooks. */
export interface NotebookFiles {
  readonly folder: string;
  /** Writes a notebook whose cells hold the given code; returns its path. */
  write(name: string, cells: readonly (string | TaggedCell)[]): string;
  remove(): void;
}

/** A cell with tags, e.g. `raises-exception` for an error that is meant. */
export interface TaggedCell {
  readonly code: string;
  readonly tags: readonly string[];
}

export function notebookFiles(): NotebookFiles {
  const folder = mkdtempSync(join(tmpdir(), 'notebooks-'));
  return {
    folder,
    write(name, cells) {
      const file = join(folder, `${name}.ipynb`);
      const code = cells.map((cell) => ({
        cell_type: 'code',
        metadata: typeof cell === 'string' ? {} : { tags: cell.tags },
        source: typeof cell === 'string' ? cell : cell.code,
        outputs: [],
        execution_count: null,
      }));
      writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: code }));
      return file;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
