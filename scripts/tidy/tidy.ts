/**
 * The house rules that no linter knows, as pure functions from one file's text to its breaches.
 * `rulesFor` says which rules hold for which path; `tidy.test.ts` runs them over the repository.
 */
import ts from 'typescript'

/** A place where a rule is broken. */
export interface Breach {
  readonly line: number
  readonly message: string
}

/** One rule: looks at one parsed file, names every breach. */
export type Rule = (file: ts.SourceFile) => Breach[]

const linesMax = 400
const functionLinesMax = 70

const bannedGlobals = new Map([
  ['Date', 'Clock'],
  ['performance', 'Clock'],
  ['setTimeout', 'Clock'],
  ['setInterval', 'Clock'],
  ['setImmediate', 'Clock'],
  ['crypto', 'Random'],
])
const bannedMembers = new Map([
  ['Math.random', 'Random'],
  ['process.hrtime', 'Clock'],
  ['process.uptime', 'Clock'],
  ['AbortSignal.timeout', 'Clock'],
])
const bannedModules = new Map([
  ['timers', 'Clock'],
  ['timers/promises', 'Clock'],
  ['perf_hooks', 'Clock'],
  ['crypto', 'Random'],
])

/** What such a module has that needs neither a clock nor chance. */
const harmlessImports = new Map([['crypto', new Set(['createHmac', 'timingSafeEqual'])]])

/** Which rules a file of the repository has to keep, by its path with forward slashes. */
export function rulesFor(path: string): Rule[] {
  const isSource = /^packages\/[^/]+\/src\//.test(path)
  const isTest = /\.(test|test-d)\.ts$/.test(path)
  const rules: Rule[] = [noLeftovers]
  if (!/\.(ts|mts|cts|mjs|cjs|js)$/.test(path)) return rules
  rules.push(noStarExports, boundedFile, boundedFunctions)
  if (isTest) rules.push(noSkippedTests)
  if (isSource) rules.push(documentedExports, noConsole)
  if (isSource && !/\/src\/(time|chance)\//.test(path)) rules.push(noOwnTimeOrChance)
  return rules
}

/** Parses a text as the file that the path names. */
export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}

/** No clock, timer or randomness of one's own: they come from Clock and Random, so that tests can own them. */
export function noOwnTimeOrChance(file: ts.SourceFile): Breach[] {
  const breaches: Breach[] = []
  walk(file, (node) => {
    const [name, instead] = bannedUse(node) ?? []
    if (name !== undefined) breaches.push(breach(file, node, `${name} is banned here: take a ${instead}`))
  })
  return breaches
}

function bannedUse(node: ts.Node): [string, string | undefined] | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.getText()
    if (bannedMembers.has(name)) return [name, bannedMembers.get(name)]
    const member = node.name.text
    if (node.expression.getText() === 'globalThis' && bannedGlobals.has(member))
      return [name, bannedGlobals.get(member)]
  }
  if (ts.isIdentifier(node) && bannedGlobals.has(node.text) && isFreeUse(node)) {
    return [node.text, bannedGlobals.get(node.text)]
  }
  if (ts.isStringLiteral(node) && isModuleName(node)) {
    const module = node.text.replace(/^node:/, '')
    if (bannedModules.has(module) && !isHarmless(node.parent, module)) return [node.text, bannedModules.get(module)]
  }
  return undefined
}

function isHarmless(node: ts.Node, module: string): boolean {
  const clause = ts.isImportDeclaration(node) ? node.importClause : undefined
  const bindings = clause?.name === undefined ? clause?.namedBindings : undefined
  if (bindings === undefined || !ts.isNamedImports(bindings)) return false
  const harmless = harmlessImports.get(module)
  return bindings.elements.every(({ name, propertyName }) => harmless?.has((propertyName ?? name).text) === true)
}

/** Whether the identifier reads a variable, rather than naming a member, a type, a parameter or an option. */
function isFreeUse(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) return node === firstChildOf(parent)
  if (ts.isTypeReferenceNode(parent) || ts.isTypeElement(parent)) return false
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node
  return (parent as ts.NamedDeclaration).name !== node
}

function firstChildOf(node: ts.Node): ts.Node | undefined {
  return node.getChildAt(0)
}

function isModuleName(node: ts.StringLiteral): boolean {
  const { parent } = node
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return true
  return ts.isCallExpression(parent) && ['require', 'import'].includes(parent.expression.getText())
}

/** A file ends at 400 lines; 250 already needs a reason. */
export function boundedFile(file: ts.SourceFile): Breach[] {
  const lineCount = file.text.replace(/\n$/, '').split('\n').length
  return lineCount <= linesMax
    ? []
    : [{ line: linesMax + 1, message: `${lineCount} lines; a file ends at ${linesMax}` }]
}

/** A function ends at 70 lines; 40 is good. A test's `describe` is a chapter and not counted. */
export function boundedFunctions(file: ts.SourceFile): Breach[] {
  const breaches: Breach[] = []
  walk(file, (node) => {
    if (!ts.isFunctionLike(node) || isChapter(node)) return
    const lineCount = lineOf(file, node.getEnd()) - lineOf(file, node.getStart()) + 1
    if (lineCount > functionLinesMax) {
      breaches.push(breach(file, node, `a function of ${lineCount} lines; it ends at ${functionLinesMax}`))
    }
  })
  return breaches
}

function isChapter(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText())
}

/** Every exported declaration says what it is for, in a doc comment of its own. */
export function documentedExports(file: ts.SourceFile): Breach[] {
  const documented = new Set<string>()
  const bare: [string, ts.Node][] = []
  for (const statement of file.statements) {
    if (!ts.canHaveModifiers(statement) || !isExported(statement)) continue
    for (const name of declaredNames(statement)) {
      if (hasDocComment(statement)) documented.add(name)
      else bare.push([name, statement])
    }
  }
  // An overload or a type that shares its name with a value is documented once.
  return bare
    .filter(([name]) => !documented.has(name))
    .map(([name, node]) => breach(file, node, `${name} is exported without a doc comment`))
}

function isExported(node: ts.HasModifiers): boolean {
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText())
  const { name } = statement as ts.Statement & { name?: ts.Identifier }
  return [name?.text ?? 'the default export']
}

function hasDocComment(node: ts.Node): boolean {
  return ts.getJSDocCommentsAndTags(node).some(ts.isJSDoc)
}

/** A star export hides what is public; names are listed one by one. */
export function noStarExports(file: ts.SourceFile): Breach[] {
  return file.statements
    .filter((node) => ts.isExportDeclaration(node) && (!node.exportClause || ts.isNamespaceExport(node.exportClause)))
    .map((node) => breach(file, node, 'a star export; list the names one by one'))
}

/** No test is skipped, alone, unwritten or expected to fail. */
export function noSkippedTests(file: ts.SourceFile): Breach[] {
  const breaches: Breach[] = []
  walk(file, (node) => {
    if (!ts.isPropertyAccessExpression(node) || !/^(only|skip|skipIf|runIf|todo|fails)$/.test(node.name.text)) return
    if (/^(it|test|describe|suite|bench)\b/.test(node.expression.getText())) {
      breaches.push(breach(file, node, `${node.getText()} leaves tests out`))
    }
  })
  return breaches
}

/** A library does not print; it has telemetry. */
export function noConsole(file: ts.SourceFile): Breach[] {
  const breaches: Breach[] = []
  walk(file, (node) => {
    if (ts.isIdentifier(node) && node.text === 'console' && isFreeUse(node)) {
      breaches.push(breach(file, node, 'console is banned here: emit an event'))
    }
  })
  return breaches
}

/** What is left to do is an issue, not a comment. Holds for files of every kind. */
export function noLeftovers(file: ts.SourceFile): Breach[] {
  // The brackets keep this very line from matching.
  const marks = /\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/
  return file.text.split('\n').flatMap((text, index) => {
    const mark = marks.exec(text)?.[0]
    return mark === undefined ? [] : [{ line: index + 1, message: `${mark} left behind; file an issue` }]
  })
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

function breach(file: ts.SourceFile, node: ts.Node, message: string): Breach {
  return { line: lineOf(file, node.getStart()), message }
}

function lineOf(file: ts.SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1
}
