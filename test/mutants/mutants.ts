/** Mutants: a source text with one fault each, such as a person makes it. Pure but for the parser, which is TypeScript's own. */
import { type Expression, type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast'
import * as is from 'typescript/unstable/ast/is'

export interface Mutant {
  /** Where in the text it is, and what stands there instead. */
  from: number
  to: number
  text: string
}

/** What is written in place of an operator. */
const OPERATORS = new Map<SyntaxKind, string>([
  [SyntaxKind.AmpersandAmpersandToken, '||'],
  [SyntaxKind.BarBarToken, '&&'],
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.MinusToken, '+'],
  [SyntaxKind.AsteriskToken, '/'],
  [SyntaxKind.SlashToken, '*'],
  [SyntaxKind.PlusEqualsToken, '-='],
  [SyntaxKind.MinusEqualsToken, '+='],
])

/** What is called in place of a method; of those that map to nothing the call is left out. */
const METHODS: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
  min: 'max',
  max: 'min',
  replaceAll: 'replace',
  filter: '',
  sort: '',
  reverse: '',
  trim: '',
  trimEnd: '',
  toLowerCase: '',
  toUpperCase: '',
  slice: '',
  finally: '',
}

/** Words of SQL, and the words in their place. */
const SQL: readonly [RegExp, string][] = [
  [/\bAND\b/g, 'OR'],
  [/\bOR\b(?! (?:REPLACE|IGNORE))/g, 'AND'],
  [/<= \?/g, '< ?'],
  [/>= \?/g, '> ?'],
  [/(?<![<>]) < \?/g, ' <= ?'],
  [/\bIN \(/g, 'NOT IN ('],
  [/\bNOT EXISTS\b/g, 'EXISTS'],
  [/ ORDER BY [\w.]+(?:, [\w.]+)*/g, ''],
  [/\bDO NOTHING\b/g, 'DO UPDATE SET rowid = rowid'],
  [/\bmax\(/g, 'min('],
  [/\bIS NULL\b/g, 'IS NOT NULL'],
]
const IS_SQL = /\b(?:SELECT|INSERT|UPDATE|DELETE|WHERE|state IN|held_at|waiting >)\b/

/** Parts of a pattern that are left out, or stand for less. */
const PATTERN: readonly [RegExp, string][] = [
  [/(?<=^\/(?:\(\?:)?)\^/g, ''],
  [/\$(?=\)?\/[a-z]*$)/g, ''],
  [/\\\./g, '.'],
  [/\[\^/g, '['],
  [/\+(?=[^\]]*(?:\[|$))/g, '*'],
  [/\\b/g, ''],
]

/** Each place where one of these patterns is found in a text that begins at `at`. */
function* within(at: number, text: string, patterns: readonly [RegExp, string][]): Generator<Mutant> {
  for (const [pattern, instead] of patterns)
    for (const found of text.matchAll(pattern))
      yield { from: at + found.index, to: at + found.index + found[0].length, text: instead }
}

/** Whether a text is a name that nothing but the compiler reads, or is not run at all. */
function isSilent(node: Node): boolean {
  return (
    is.isImportDeclaration(node) ||
    is.isExportDeclaration(node) ||
    is.isInterfaceDeclaration(node) ||
    is.isTypeAliasDeclaration(node) ||
    is.isLiteralTypeNode(node) ||
    is.isTypeNode(node)
  )
}

/** Whether a function gives something back. */
function returns(body: Node): boolean {
  let found = false
  const visit = (node: Node): void => {
    if (is.isReturnStatement(node) && node.expression !== undefined) found = true
    else if (is.isYieldExpression(node)) found = true
    else if (!is.isArrowFunction(node) && !is.isFunctionExpression(node) && !is.isFunctionDeclaration(node))
      node.forEachChild(visit)
  }
  body.forEachChild(visit)
  return found
}

/** All mutants of a file, in the order of its text. What TypeScript refuses of them is for the caller to find. */
export function mutantsOf(file: SourceFile): Mutant[] {
  const found: Mutant[] = []
  const start = (node: Node): number => node.getStart(file)
  const textOf = (node: Node): string => file.text.slice(start(node), node.end)
  const put = (node: Node, text: string): void => {
    found.push({ from: start(node), to: node.end, text })
  }
  const drop = (node: Node): void => put(node, ';')
  const negate = (condition: Expression): void => {
    // What has an operator of its own that is turned round need not be negated as well.
    if (is.isBinaryExpression(condition) && /^[!=]==$/.test(textOf(condition.operatorToken))) return
    if (is.isPrefixUnaryExpression(condition)) return
    put(condition, `!(${textOf(condition)})`)
  }

  const visit = (node: Node): void => {
    if (isSilent(node)) return
    if (is.isIfStatement(node)) {
      negate(node.expression)
      put(node.expression, 'false')
    } else if (is.isWhileStatement(node)) put(node.expression, 'false')
    else if (is.isConditionalExpression(node)) {
      negate(node.condition)
      if (is.isBinaryExpression(node.condition) && !/^[!=]==$/.test(textOf(node.condition.operatorToken)))
        put(node.condition, 'true')
    } else if (is.isBinaryExpression(node)) {
      const instead = OPERATORS.get(node.operatorToken.kind)
      if (instead !== undefined) put(node.operatorToken, instead)
      if (node.operatorToken.kind === SyntaxKind.QuestionQuestionToken) put(node, textOf(node.left))
      if (node.operatorToken.kind === SyntaxKind.QuestionQuestionEqualsToken) put(node.operatorToken, '=')
    } else if (is.isPrefixUnaryExpression(node)) {
      if (node.operator === SyntaxKind.ExclamationToken || node.operator === SyntaxKind.MinusToken)
        put(node, textOf(node.operand))
    } else if (is.isPostfixUnaryExpression(node))
      put(node, `${textOf(node.operand)}${node.operator === SyntaxKind.PlusPlusToken ? '--' : '++'}`)
    else if (is.isAwaitExpression(node)) put(node, textOf(node.expression))
    else if (is.isThrowStatement(node)) drop(node)
    else if (is.isExpressionStatement(node)) drop(node)
    else if (is.isContinueStatement(node) || is.isBreakStatement(node)) drop(node)
    else if (is.isCallExpression(node)) {
      const called = node.expression
      if (is.isPropertyAccessExpression(called)) {
        const instead = METHODS[called.name.text]
        if (instead === '') put(node, textOf(called.expression))
        else if (instead !== undefined && Object.hasOwn(METHODS, called.name.text)) put(called.name, instead)
      }
    } else if (node.kind === SyntaxKind.TrueKeyword) put(node, 'false')
    else if (node.kind === SyntaxKind.FalseKeyword) put(node, 'true')
    else if (is.isNumericLiteral(node)) {
      // Of a time or a size one more is no fault; none at all is.
      put(node, Number(textOf(node).replaceAll('_', '')) < 10_000 ? `(${textOf(node)} + 1)` : '0')
    } else if (is.isRegularExpressionLiteral(node)) found.push(...within(start(node), textOf(node), PATTERN))
    else if (
      is.isStringLiteral(node) ||
      is.isNoSubstitutionTemplateLiteral(node) ||
      is.isTemplateExpression(node)
    ) {
      const text = textOf(node)
      if (IS_SQL.test(text)) found.push(...within(start(node), text, SQL))
      else if (text.length === 2) put(node, "'mutant'")
      else put(node, "''")
    } else if (is.isReturnStatement(node) && node.expression === undefined) drop(node)
    else if (is.isCatchClause(node)) {
      if (node.block.statements.length > 0) put(node.block, '{}')
    } else if (
      (is.isFunctionDeclaration(node) || is.isMethodDeclaration(node) || is.isConstructorDeclaration(node)) &&
      node.body !== undefined &&
      node.body.statements.length > 1 &&
      !returns(node.body)
    )
      put(node.body, '{}')

    // A tag says what its text is for; the name of a property is no value.
    node.forEachChild((child) => {
      if (is.isPropertyAssignment(node) && child === node.name) return
      visit(child)
    })
  }
  visit(file)

  const seen = new Set<string>()
  return found
    .filter(({ from, to, text }) => {
      const key = `${from} ${to} ${text}`
      return file.text.slice(from, to) !== text && !seen.has(key) && seen.add(key)
    })
    .sort((a, b) => a.from - b.from || a.to - b.to)
}
