/** The notebooks as they are committed, for tests that read them and run nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const notebooksFolder = fileURLToPath(new URL('../../notebooks/', import.meta.url));

/** A notebook's file keeps a text as one string or as its lines. */
const text = z.union([z.string(), z.array(z.string()).transform((lines) => lines.join(''))]);
const schema = z.looseObject({
  cells: z.array(z.looseObject({ id: z.string(), cell_type: z.enum(['code', 'markdown']), source: text })),
});

export interface CommittedNotebook {
  /** The file's name without its ending. */
  readonly name: string;
  readonly cells: readonly { id: string; cell_type: 'code' | 'markdown'; source: string }[];
}

/** @example committedNotebooks('solutions').map(({ name }) => name) */
export function committedNotebooks(folder: '.' | 'solutions'): CommittedNotebook[] {
  return readdirSync(join(notebooksFolder, folder))
    .filter((name) => name.endsWith('.ipynb'))
    .sort()
    .map((name) => {
      const json: unknown = JSON.parse(readFileSync(join(notebooksFolder, folder, name), 'utf8'));
      return { name: basename(name, '.ipynb'), cells: schema.parse(json).cells };
    });
}
