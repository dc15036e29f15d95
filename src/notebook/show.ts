import { createRequire } from 'node:module';
import { join } from 'node:path';

/** One output in several forms, by MIME type; the reader's program picks the richest that it can show. */
export interface MimeBundle {
  /** What a terminal, a diff and a screen reader get. */
  readonly 'text/plain': string;
  readonly [mimeType: string]: unknown;
}

/** Sends one display message; with `update` it replaces the output of the same `display_id`. */
export type SendDisplay = (
  content: {
    readonly data: MimeBundle;
    readonly metadata: object;
    readonly transient: { readonly display_id?: string };
  },
  update: boolean,
) => void;

/**
 * Shows one output with several forms in the cell that runs. Reach for it when `table()` and `chart()` do
 * not fit. Outside a kernel, as in `npm run check`, the plain text is printed.
 *
 * @param metadata by MIME type, e.g. `{ 'image/png': { width: 700, height: 400 } }`
 * @example
 * show({ 'text/html': '<b>28,450</b> queries', 'text/plain': '28,450 queries' });
 */
export function show(bundle: MimeBundle, metadata: object = {}): void {
  const send = kernelDisplay();
  if (send) send({ data: bundle, metadata, transient: {} }, false);
  else console.log(bundle['text/plain']);
}

/**
 * The running kernel's way to send a display, or undefined outside one. tslab's own `display` sends one MIME
 * type an output; its internal function sends a bundle. It is taken from the modules that the process has
 * loaded already, so that it is the kernel's own instance, and so that tslab is never loaded for nothing (1 s).
 */
export function kernelDisplay(): SendDisplay | undefined {
  const { cache } = createRequire(import.meta.url);
  const path = Object.keys(cache).find((file) => file.endsWith(JUPYTER_MODULE));
  const loaded: { lastWriteDisplayData?: SendDisplay | null } | undefined = path && cache[path]?.exports;
  return loaded?.lastWriteDisplayData ?? undefined;
}

const JUPYTER_MODULE = join('tslab', 'dist', 'jupyter.js');
