// tslab keeps the variables of earlier cells in `exports` and rewrites their names, but not where a name
// stands for key and value at once: `{ plan }` failed at run time and `({ plan } = next)` assigned nothing.
// This writes such keys out before tslab looks: `{ plan: exports.plan }`. Where a key is taken apart under
// another name, `{ plan: mine }`, tslab takes it for a variable if an earlier cell declared it; as text,
// `{ 'plan': mine }`, it is left alone.

/** The hidden file in which tslab declares what earlier cells left. */
const EARLIER_CELLS = '/__prev__.d.ts';

/**
 * @param {object} ts the compiler
 * @param {object} program a builder program; its `emit` is wrapped
 * @returns the same program
 */
function withEarlierVariables(ts, program) {
  const emit = program.emit.bind(program);
  program.emit = (file, write, cancel, declarationsOnly, transformers) => {
    const before = writeOutShorthands(ts, program.getProgram().getTypeChecker());
    return emit(file, write, cancel, declarationsOnly, {
      ...transformers,
      before: [...(transformers?.before ?? []), before],
    });
  };
  return program;
}

function writeOutShorthands(ts, checker) {
  const { factory } = ts;
  const isEarlier = (node) =>
    checker
      .getShorthandAssignmentValueSymbol(node)
      ?.declarations?.some((declaration) => declaration.getSourceFile().fileName.endsWith(EARLIER_CELLS));

  return (context) => (sourceFile) => {
    const visit = (node) => {
      const visited = ts.visitEachChild(node, visit, context);
      if (ts.isBindingElement(visited) && visited.propertyName && ts.isIdentifier(visited.propertyName)) {
        const { dotDotDotToken, propertyName, name, initializer } = visited;
        const key = factory.createStringLiteral(propertyName.text);
        return factory.updateBindingElement(visited, dotDotDotToken, key, name, initializer);
      }
      if (!ts.isShorthandPropertyAssignment(node) || !isEarlier(node)) return visited;
      const { name, objectAssignmentInitializer: fallback } = visited;
      const variable = factory.createPropertyAccessExpression(factory.createIdentifier('exports'), name.text);
      return factory.createPropertyAssignment(
        name.text,
        fallback ? factory.createAssignment(variable, fallback) : variable,
      );
    };
    return ts.visitNode(sourceFile, visit);
  };
}

module.exports = { withEarlierVariables };
