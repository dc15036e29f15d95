/** What the package exports to a notebook, and what its comments say: read as text, without a build. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Ts from '@tslab/typescript-for-tslab';

const require = createRequire(import.meta.url);
/** The kernel's compiler: the one that builds the library has no interface for programs. */
export const ts = createRequire(require.resolve('tslab/package.json'))(
  '@tslab/typescript-for-tslab',
) as typeof Ts;

/** The package's entries, and the file that each is made of. */
export const ENTRIES = {
  meterbridge: 'index.ts',
  'meterbridge/billing': 'billing/index.ts',
  'meterbridge/notebook': 'notebook/index.ts',
} as const;
const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** A function or a class that a notebook can import. */
export interface PublicFunction {
  readonly name: string;
  /** Its file, from src/ on. */
  readonly file: string;
  readonly isError: boolean;
  /** The docstring's text, without its tags. */
  readonly description: string;
  readonly examples: readonly string[];
  /** Public methods of a class that have no text of their own. */
  readonly bareMethods: readonly string[];
}

/** @example publicFunctions().filter(({ examples }) => examples.length === 0) */
export function publicFunctions(): PublicFunction[] {
  const exported = new Map<string, string>();
  for (const entry of Object.values(ENTRIES))
    for (const [name, file] of exportsOf(join(src, entry))) exported.set(name, file);
  return [...exported].flatMap(([name, file]) => {
    const declaration = parse(file).statements.find(
      (statement): statement is Ts.FunctionDeclaration | Ts.ClassDeclaration =>
        (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) &&
        statement.name?.text === name,
    );
    if (!declaration) return [];
    const methods = ts.isClassDeclaration(declaration) ? declaration.members.filter(isPublicMethod) : [];
    return {
      name,
      file: relative(src, file),
      isError: name.endsWith('Error'),
      description: textOf(declaration),
      examples: ts
        .getJSDocTags(declaration)
        .filter(({ tagName }) => tagName.text === 'example')
        .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? ''),
      bareMethods: methods.filter((method) => !textOf(method)).map(({ name: of }) => of?.getText() ?? ''),
    };
  });
}

/** The names that a file passes on, and the file that declares each. */
function exportsOf(file: string): (readonly [name: string, file: string])[] {
  return parse(file).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || !statement.moduleSpecifier) return [];
    const { text } = statement.moduleSpecifier as Ts.StringLiteral;
    const from = join(dirname(file), text.replace(/\.js$/, '.ts'));
    const names =
      statement.exportClause && ts.isNamedExports(statement.exportClause)
        ? statement.exportClause.elements.map(({ name }) => name.text)
        : declaredIn(from);
    return names.map((name) => [name, from] as const);
  });
}

const declaredIn = (file: string) =>
  parse(file).statements.flatMap((statement) =>
    ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)
      ? (statement.name?.text ?? [])
      : [],
  );

const isPublicMethod = (member: Ts.ClassElement): boolean =>
  (ts.isMethodDeclaration(member) || ts.isGetAccessor(member)) &&
  !ts.isPrivateIdentifier(member.name) &&
  !ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);

const textOf = (node: Ts.Node): string => {
  const doc = node.getChildren().filter(ts.isJSDoc).at(-1);
  return ts.getTextOfJSDocComment(doc?.comment) ?? '';
};

/** Files declare several names each, and are parsed once. */
const parsed = new Map<string, Ts.SourceFile>();

function parse(file: string): Ts.SourceFile {
  const known = parsed.get(file);
  if (known) return known;
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  parsed.set(file, source);
  return source;
}
