import type { SqlValue } from '../../drivers/index.ts'
import { SqlError } from '../../errors/index.ts'
import type { SqlQuery } from '../api.ts'

/** A statement that was looked at: of which kind it is, and with parameters that SQLite takes. */
export interface CheckedStatement {
  /** What it does, a WITH left aside: `UPDATE`, … */
  readonly verb: string
  readonly sql: string
  readonly parameters: SqlValue[]
}

const WRITES = ['INSERT', 'REPLACE', 'UPDATE', 'DELETE']
const READS = ['SELECT', 'VALUES']
/** One word, one quoted text or name, one comment, one parenthesis, or anything else. */
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[\p{L}_$][\p{L}\p{N}_$]*|[(),;]|./gsu

interface Shape {
  /** The keyword that says what the statement does, `WITH` looked through. */
  readonly verb: string
  /** The statement without comments and quoted text. */
  readonly text: string
  /** How many parameters it takes. */
  readonly parameters: number
}

const shapes = new Map<string, Shape>()

/** Checks a statement for `query` and `live`: it must read. Throws SqlError. */
export function checkRead(query: SqlQuery): CheckedStatement {
  const shape = shapeOf(query)
  if (!READS.includes(shape.verb))
    throw new SqlError(
      `query takes SELECT, not ${shape.verb}: ${WRITES.includes(shape.verb) ? 'use exec' : hintFor(shape.verb)}`,
    )
  return { verb: shape.verb, sql: query.sql, parameters: parametersOf(query, shape) }
}

/** Checks a statement for `exec`: it must write rows, and do nothing else. Throws SqlError. */
export function checkWrite(query: SqlQuery): CheckedStatement {
  const shape = shapeOf(query)
  if (!WRITES.includes(shape.verb))
    throw new SqlError(
      `exec takes INSERT, REPLACE, UPDATE and DELETE, not ${shape.verb}: ${READS.includes(shape.verb) ? 'use query' : hintFor(shape.verb)}`,
    )
  if (/\bOR\s+ROLLBACK\b/i.test(shape.text))
    throw new SqlError('OR ROLLBACK would end the transaction that is open: use OR ABORT, and throw to undo more')
  return { verb: shape.verb, sql: query.sql, parameters: parametersOf(query, shape) }
}

/** Whether a statement is for `exec`. Throws SqlError where it is no statement at all. */
export function isWrite(query: SqlQuery): boolean {
  return WRITES.includes(shapeOf(query).verb)
}

function hintFor(verb: string): string {
  if (['BEGIN', 'COMMIT', 'END', 'ROLLBACK', 'SAVEPOINT', 'RELEASE'].includes(verb)) return 'use store.transaction'
  if (['CREATE', 'ALTER', 'DROP'].includes(verb)) return 'tables come from the schema: change it and raise its version'
  if (verb === 'ATTACH' || verb === 'DETACH') return 'use store.attach'
  if (verb === 'PRAGMA') return 'settings belong to the store'
  return 'it has no place in a store'
}

function shapeOf(query: SqlQuery): Shape {
  if (typeof query !== 'object' || query === null || typeof query.sql !== 'string')
    throw new SqlError('expected sql`…`, or { sql, parameters }')
  const known = shapes.get(query.sql)
  if (known) return known
  const shape = readShape(query.sql)
  if (shapes.size > 5_000) shapes.clear()
  shapes.set(query.sql, shape)
  return shape
}

/** Characters of a statement. */
const MAX_TEXT = 1_000_000

function readShape(text: string): Shape {
  // SQLite would take what stands before it for the whole.
  if (text.includes('\0')) throw new SqlError('the statement contains the character NUL')
  if (text.length > MAX_TEXT)
    throw new SqlError(
      `the statement has ${text.length} characters, ${MAX_TEXT} are allowed: pass values as parameters`,
    )
  const kept: string[] = []
  let verb = ''
  let depth = 0
  let ended = false
  let sawWith = false
  for (const [token] of text.matchAll(TOKEN)) {
    if (/^(\s|--|\/\*)/.test(token)) {
      kept.push(' ')
      continue
    }
    if (ended && token !== ';') throw new SqlError('one statement at a time: there is more after the semicolon')
    if (token === ';' && depth === 0) ended = true
    else if (token === '(') depth++
    else if (token === ')') depth--
    const isWord = /^[\p{L}_$]/u.test(token)
    // SQLite takes a text in single quotes for a name where it expects one.
    const name = isWord ? token : /^["'`[]/.test(token) ? token.slice(1, -1) : undefined
    if (
      name !== undefined &&
      /^(?:rowcast_(?:meta|insert|update|delete)|sqlite_(?:master|schema|temp_master|temp_schema|sequence))$/i.test(
        name,
      )
    )
      throw new SqlError(`${name} is rowcast's own: it can't be named in a statement`)
    if (isWord) {
      const word = token.toUpperCase()
      if (verb === '' && word === 'WITH') sawWith = true
      else if (verb === '' && depth === 0 && (!sawWith || [...WRITES, ...READS].includes(word))) verb = word
    }
    kept.push(/^['"`[]/.test(token) ? "''" : token)
  }
  if (verb === '') throw new SqlError('there is no statement')
  const stripped = kept.join('')
  return {
    verb,
    text: stripped,
    parameters: countParameters(stripped),
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** How many parameters a statement takes. Throws SqlError for named ones, which drivers take in different ways. */
function countParameters(text: string): number {
  if (/[:@$][\p{L}_]/u.test(text)) throw new SqlError('parameters have no names here: write ? and give an array')
  const numbers = [...text.matchAll(/\?(\d+)/g)].map(([, number]) => Number(number))
  return numbers.length > 0 ? Math.max(...numbers) : text.split('?').length - 1
}

function parametersOf(query: SqlQuery, shape: Shape): SqlValue[] {
  const given: unknown = query.parameters ?? query.params ?? []
  if (!isList(given)) throw new SqlError('parameters must be an array')
  if (given.length !== shape.parameters)
    throw new SqlError(`the statement has ${shape.parameters} parameters, ${given.length} were given`)
  return given.map((value, n) => {
    if (typeof value === 'string' && !value.isWellFormed())
      throw new SqlError(`parameter ${n + 1} contains half of a surrogate pair, which is no Unicode text`)
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
      throw new SqlError(`parameter ${n + 1} does not fit into 64 bits`)
    if (value === null || typeof value === 'string' || typeof value === 'bigint') return value
    // A copy: the caller may go on writing to its buffer.
    if (value instanceof Uint8Array) return value.slice()
    if (typeof value === 'boolean') return value ? 1 : 0
    if (typeof value === 'number') {
      if (Number.isNaN(value)) throw new SqlError(`parameter ${n + 1} is NaN, which SQLite would take for NULL`)
      return value
    }
    throw new SqlError(
      `parameter ${n + 1} is ${value === undefined ? 'undefined' : Array.isArray(value) ? 'an array (use sql.join)' : `a ${typeof value}`}: SQLite takes null, strings, numbers, bigints, booleans and Uint8Array`,
    )
  })
}
