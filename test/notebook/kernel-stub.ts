import { createRequire } from 'node:module';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A display message as the kernel sends it on. */
export interface Sent {
  readonly content: {
    readonly data: Record<string, unknown>;
    readonly metadata: object;
    readonly transient: { readonly display_id?: string };
  };
  readonly update: boolean;
}

/** For one test, the process looks like tslab's kernel; gives the list that its messages go to. */
export function inKernel(): Sent[] {
  const sent: Sent[] = [];
  const { cache } = createRequire(import.meta.url);
  const path = join('stub', 'tslab', 'dist', 'jupyter.js');
  const module = {
    exports: {
      lastWriteDisplayData: (content: Sent['content'], update: boolean) => sent.push({ content, update }),
    },
  };
  Object.assign(cache, { [path]: module });
  onTestFinished(() => {
    delete cache[path];
  });
  return sent;
}
