import {
  equalValues,
  normalPath,
  parsePath,
  type Cells,
  type CellValue,
  type Key,
  type Steps,
} from '../changes/index.ts'
import { NotFoundError, SchemaError } from '../errors/index.ts'
import { placeOf, type Column, type Schema, type TableModel } from '../schema/index.ts'
import type { RowTransition, Store } from '../store/index.ts'
import { ForbiddenError } from './refusals.ts'

/** Who is connected, as `authenticate` says. What rules of the form `$user.team` speak of are its members. */
export interface User {
  readonly id: string
  readonly name?: string
  readonly [claim: string]: unknown
}

/** What a rule that is a function decides on. */
export interface RuleContext {
  readonly user: User | undefined
  readonly database: string
  readonly table: string
  /** The row: of a change, as it will be, or was where it goes. */
  readonly row: object
  readonly before: object | undefined
  readonly after: object | undefined
}

/** Whether something is allowed: always, never, where the row matches, or as a function says. One that throws denies. */
export type Rule = boolean | { readonly [field: string]: unknown } | ((context: RuleContext) => boolean)

/**
 * The rules of one table. What has no rule is denied. They hold for what a transaction comes to: a row that goes or changes
 * because of one that its author deletes (`onDelete`) has to be deletable or updatable by him too, as far as he may see it.
 * What he may not see goes along with what it refers to, as the schema says: otherwise the refusal would tell of it. Where
 * it has to stay, let the reference be `restrict`.
 */
export interface TablePermissions {
  /** What it looks at should be what everyone may see who sees the row: what it allows tells of it. */
  readonly canView?: Rule
  readonly canCreate?: Rule
  /** A `where` must hold for the row before and after. */
  readonly canUpdate?: Rule
  readonly canDelete?: Rule
  /** Further rules by property path: of a field, and of all below it. */
  readonly fields?: { readonly [path: string]: FieldPermissions }
}

/** The rules of a field. What has no rule is allowed to whoever may see, create or update the row. */
export interface FieldPermissions {
  /**
   * Only for fields that the schema lists as `restricted`. Who may not see it may not set it either, unless `canCreate` (in
   * a new row) or `canUpdate` says so.
   */
  readonly canView?: Rule
  /**
   * Who may give it a value in a new row; without it that of `canUpdate` holds. What is left out, or put as the schema's
   * default, is given no value. A primary key has no such fallback: no update can change it.
   */
  readonly canCreate?: Rule
  readonly canUpdate?: Rule
}

/** Rules by table. A table that is not named is denied. */
export interface Permissions {
  readonly [table: string]: TablePermissions
}

type Test = (context: RuleContext) => boolean
/** What a token says of itself, not of who bears it. */
const FRESH_CLAIMS = new Set(['iat', 'exp', 'nbf', 'jti'])
const never: Test = () => false

/** What one user may do in one database. */
export class Access {
  readonly user: User | undefined
  readonly store: Store
  readonly #database: string
  readonly #permissions: Permissions | undefined
  readonly #report: (error: unknown) => void
  readonly #tests = new Map<Rule, Test>()
  /** By table: the columns that have rules of who may see them. */
  readonly #guarded = new Map<string, readonly GuardedColumn[]>()
  readonly #fieldRules = new Map<string, readonly (readonly [path: string, FieldPermissions])[]>()
  readonly #withheld = new WeakMap<object, readonly string[]>()

  constructor(
    store: Store,
    database: string,
    options: {
      readonly user: User | undefined
      readonly permissions: Permissions | undefined
      readonly report: (error: unknown) => void
    },
  ) {
    this.user = options.user
    this.store = store
    this.#database = database
    this.#permissions = options.permissions
    this.#report = options.report
  }

  /** Whether there are no rules at all: everyone sees everything. */
  get unrestricted(): boolean {
    return this.#permissions === undefined
  }

  /** What may be seen goes by this: who it is, without what a fresh token changes, and the rules. */
  get view(): string {
    if (!this.#permissions) return ''
    const user = Object.entries(this.user ?? {}).filter(([claim]) => !FRESH_CLAIMS.has(claim))
    return JSON.stringify([user, this.#permissions], (_key, value: unknown) =>
      typeof value === 'function' || typeof value === 'bigint' ? String(value) : value,
    )
  }

  /** Whether a row may be seen. */
  canView(table: string, row: object): boolean {
    if (!this.#permissions) return true
    return this.#allows(this.#rules(table)?.canView, { table, row, before: row, after: row })
  }

  /**
   * Whether all that a row came to in a transaction that was taken back is known to its author: it was not there before, or
   * he sees it with every field.
   */
  knows(table: string, key: Key | undefined): boolean {
    if (!this.#permissions || key === undefined) return true
    const row = this.store.table(table).get(key) as object | undefined
    return row === undefined || (this.canView(table, row) && this.withheld(table, row).length === 0)
  }

  /** Whether there are fields of a table that not everyone may see. */
  withholds(table: string): boolean {
    return this.#guardedColumns(table).length > 0
  }

  /** The paths of a row's fields that may not be seen. Those of an object that is not there are not among them. */
  withheld(table: string, row: object): readonly string[] {
    // A row object never changes, and what a `where` says of it neither: it is judged once. Code may look elsewhere.
    if (this.#guardedColumns(table).some(({ rules }) => rules.some((rule) => typeof rule === 'function')))
      return this.#judge(table, row)
    let paths = this.#withheld.get(row)
    if (!paths) this.#withheld.set(row, (paths = this.#judge(table, row)))
    return paths
  }

  #judge(table: string, row: object): readonly string[] {
    const context = { table, row, before: row, after: row }
    return this.#guardedColumns(table)
      .filter(
        ({ column, rules }) => isThere(row, column.segments) && !rules.every((rule) => this.#allows(rule, context)),
      )
      .map(({ column }) => column.path)
  }

  /** A row as it may be seen: without the fields that are withheld. */
  shown(table: string, row: object): object {
    if (!this.withholds(table)) return row
    return this.withheld(table, row).reduce<object>((shown, path) => without(shown, parsePath(path).map(String)), row)
  }

  #guardedColumns(table: string): readonly GuardedColumn[] {
    let guarded = this.#guarded.get(table)
    if (!guarded) {
      const fields = this.#fields(table)
      const columns = this.store.schema.tables.get(table)?.model.restricted ?? []
      guarded = columns.flatMap((column): GuardedColumn[] => {
        const rules = fields.flatMap(([field, { canView }]) =>
          canView !== undefined && isAtOrBelow(column.path, field) ? [canView] : [],
        )
        return rules.length > 0 ? [{ column, rules }] : []
      })
      this.#guarded.set(table, guarded)
    }
    return guarded
  }

  /** Throws ForbiddenError unless every one of these changes is allowed. */
  *check(transitions: readonly RowTransition[]): Steps<void> {
    if (!this.#permissions) return
    for (const transition of transitions) {
      if (!this.#mayChange(transition)) throw new ForbiddenError()
      yield
    }
  }

  #mayChange({ change, before, after }: RowTransition): boolean {
    const { table, op } = change
    // Its author can't have named it: it goes along, as the schema says. To refuse that would tell that it is there.
    if (before && !this.canView(table, before)) return true
    const rules = this.#rules(table)
    if (!rules) return false
    if (op === 'insert') {
      const create = (rule: Rule | undefined): boolean => this.#allows(rule, { table, row: after!, before, after })
      return create(rules.canCreate) && this.#mayGive(table, after!, change.after, create)
    }
    if (op === 'delete') return this.#allows(rules.canDelete, { table, row: before!, before, after })
    const update = (rule: Rule | undefined): boolean =>
      typeof rule === 'function'
        ? this.#allows(rule, { table, row: after!, before, after })
        : this.#allows(rule, { table, row: before!, before, after }) &&
          this.#allows(rule, { table, row: after!, before, after })
    if (!update(rules.canUpdate)) return false
    const cells = inOwnPaths(change.after)
    const paths = Object.keys(cells)
    if (!this.#mayBlindlyChange(table, [before!, after!], cells, update)) return false
    return this.#fields(table).every(
      ([field, { canUpdate }]) =>
        canUpdate === undefined || !paths.some((path) => covers(field, path)) || update(canUpdate),
    )
  }

  /** Whether the cells that a new row is given may be given, by the rules of their fields. */
  #mayGive(table: string, row: object, cells: Cells, create: (rule: Rule | undefined) => boolean): boolean {
    const fields = this.#fields(table)
    if (fields.length === 0) return true
    const { model } = this.store.schema.tables.get(table)!
    const given = Object.entries(inOwnPaths(cells)).filter(([path, value]) => !isDefault(model, path, value))
    const isKey = (path: string): boolean => model.key.some((column) => column.path === path)
    const ruled = new Set<string>()
    for (const [field, { canCreate, canUpdate }] of fields) {
      const reached = given.filter(([path, value]) => isGiven(field, path, value)).map(([path]) => path)
      const rule = canCreate ?? (reached.every(isKey) ? undefined : canUpdate)
      if (rule === undefined || reached.length === 0) continue
      if (!create(rule)) return false
      for (const path of reached) if (isAtOrBelow(path, field)) ruled.add(path)
    }
    const withheld = this.withheld(table, row)
    return given.every(([path]) => ruled.has(path) || !withheld.includes(path))
  }

  /** Whether the fields among these that may not be seen have rules of their own that allow to change them. */
  #mayBlindlyChange(
    table: string,
    rows: readonly [object, object],
    cells: Cells,
    update: (rule: Rule | undefined) => boolean,
  ): boolean {
    if (!this.withholds(table)) return true
    const [before, after] = rows.map((row) => new Set(this.withheld(table, row))) as [Set<string>, Set<string>]
    const fields = this.#fields(table)
    const paths = Object.keys(cells)
    const goes = (path: string): boolean => cells[path] === undefined || cells[path] === null
    // With an object everything in it goes, whether it was set or not.
    return [...new Set([...before, ...after])]
      .filter((path) =>
        paths.some((changed) => path === changed || (before.has(path) && goes(changed) && isAtOrBelow(path, changed))),
      )
      .every((path) => {
        const rules = fields.filter(([field, { canUpdate }]) => canUpdate !== undefined && isAtOrBelow(path, field))
        return rules.length > 0 && rules.every(([, { canUpdate }]) => update(canUpdate))
      })
  }

  /** The rules of a table's fields, by the path's own spelling. */
  #fields(table: string): readonly (readonly [path: string, FieldPermissions])[] {
    let fields = this.#fieldRules.get(table)
    if (!fields) {
      fields = Object.entries(this.#rules(table)?.fields ?? {}).map(([field, rules]) => [normalPath(field), rules])
      this.#fieldRules.set(table, fields)
    }
    return fields
  }

  #rules(table: string): TablePermissions | undefined {
    return this.#permissions && Object.hasOwn(this.#permissions, table) ? this.#permissions[table] : undefined
  }

  #allows(rule: Rule | undefined, context: Omit<RuleContext, 'user' | 'database'>): boolean {
    if (rule === undefined) return false
    try {
      return this.#test(rule, context.table)({ ...context, user: this.user, database: this.#database })
    } catch (error) {
      this.#report(error)
      return false
    }
  }

  #test(rule: Rule, table: string): Test {
    let test = this.#tests.get(rule)
    if (!test) this.#tests.set(rule, (test = this.#compile(rule, table)))
    return test
  }

  #compile(rule: Rule, table: string): Test {
    if (typeof rule === 'boolean') return () => rule
    if (typeof rule === 'function') return (context) => rule(context)
    const where = fillIn(rule, this.user)
    if (where === undefined) return never
    const { test } = this.store.table(table).predicate(where as never)
    return ({ row }) => test(row)
  }
}

/** A column and the rules of who may see it. */
interface GuardedColumn {
  readonly column: Column
  readonly rules: readonly Rule[]
}

/**
 * Checks rules against the schema they are for. Throws SchemaError naming what is no rule, or a field that has a rule of
 * who may see it and can't be withheld.
 */
export function checkPermissions(schema: Schema, permissions: Permissions | undefined): void {
  if (permissions === undefined) return
  for (const [table, rules] of Object.entries(members('permissions', permissions))) {
    const model = schema.tables.get(table)?.model
    if (!model) throw new SchemaError(`permissions.${table}`, `there is no table '${table}'`)
    const { fields = {}, ...ofTable } = members(`permissions.${table}`, rules)
    assertRules(`permissions.${table}`, ofTable, ['canView', 'canCreate', 'canUpdate', 'canDelete'])
    for (const [field, ofField] of Object.entries(members(`permissions.${table}.fields`, fields))) {
      const at = `permissions.${table}.fields.${field}`
      assertRules(at, members(at, ofField), ['canView', 'canCreate', 'canUpdate'])
      const path = pathOf(model, field, at)
      if ((ofField as FieldPermissions).canView === undefined) continue
      const place = `${at}.canView`
      const columns = model.columns.filter((column) => column.kind !== 'presence' && isAtOrBelow(column.path, path))
      if (columns.length === 0) throw new SchemaError(place, `${table} has no property '${field}'`)
      const open = columns.find((column) => !model.restricted.includes(column))
      if (open)
        throw new SchemaError(place, `'${open.path}' can't be withheld: list it under tables.${table}.restricted`)
    }
  }
}

/** The path of a field under its own spelling. Throws SchemaError for one that the table can't have. */
function pathOf(model: TableModel, field: string, at: string): string {
  try {
    const { path } = placeOf(model, field)
    if (path !== '') return path
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
    throw new SchemaError(at, error.message, { cause: error })
  }
  throw new SchemaError(at, `is the row as a whole: give the rule to the table`)
}

/** Throws SchemaError for what is no plain object. */
function members(place: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SchemaError(
      place,
      `is ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`}, where an object is expected`,
    )
  return value as Readonly<Record<string, unknown>>
}

/** A rule that is misspelt would allow, or deny, something else than was meant. */
function assertRules(place: string, rules: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  for (const [name, rule] of Object.entries(rules)) {
    if (!known.includes(name)) throw new SchemaError(`${place}.${name}`, `is no rule: there are ${known.join(', ')}`)
    if (rule !== undefined && typeof rule !== 'boolean' && typeof rule !== 'function') members(`${place}.${name}`, rule)
  }
}

/** Whether a path is that of a field, or of something in it. */
export function isAtOrBelow(path: string, field: string): boolean {
  return path === field || path.startsWith(`${field}.`)
}

function isThere(row: object, segments: readonly string[]): boolean {
  let value: unknown = row
  for (const segment of segments.slice(0, -1)) {
    if (typeof value !== 'object' || value === null) return false
    value = Reflect.get(value, segment)
  }
  return typeof value === 'object' && value !== null
}

function without(row: object, [segment, ...inner]: readonly string[]): object {
  if (segment === undefined || !Object.hasOwn(row, segment)) return row
  const { [segment]: value, ...others } = row as Readonly<Record<string, unknown>>
  if (inner.length === 0) return others
  return typeof value === 'object' && value !== null ? { ...others, [segment]: without(value, inner) } : row
}

/** Whether a rule about a field speaks of a path: the field itself, what is below it, or a whole that holds it. */
function covers(field: string, path: string): boolean {
  return path === field || path.startsWith(`${field}.`) || field.startsWith(`${path}.`)
}

/** The same cells under the one spelling that each path has in rules: an escape that is not needed changes nothing. */
function inOwnPaths(cells: Cells): Cells {
  return Object.fromEntries(Object.entries(cells).map(([path, value]) => [normalPath(path), value]))
}

/** Whether a cell of a new row is as it would be if nobody had named it. */
function isDefault(model: TableModel, path: string, value: CellValue): boolean {
  if (value === undefined) return true
  const column = model.byPath.get(path)
  if (!column) return false
  if (column.kind === 'presence') return value !== null && column.defaultSql === 1
  if (value === null && column.defaultValue === undefined) return column.nullable && column.nullMark === undefined
  return equalValues(value, column.defaultValue)
}

/** Whether a field is given a value by a cell: the field itself, what is below it, or a whole that has it. */
function isGiven(field: string, path: string, value: CellValue): boolean {
  if (isAtOrBelow(path, field)) return true
  if (!isAtOrBelow(field, path)) return false
  let inner: unknown = value
  for (const segment of parsePath(field).slice(parsePath(path).length))
    inner =
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, segment)
        ? Reflect.get(inner, segment)
        : undefined
  return inner !== undefined
}

/** A `where` with what `$user.…` stands for; `undefined` where the user has no such member: then nothing matches. */
function fillIn(where: unknown, user: User | undefined): unknown {
  if (typeof where === 'string' && where.startsWith('$user.')) {
    let value: unknown = user
    for (const name of where.slice('$user.'.length).split('.'))
      value =
        typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
    return value
  }
  if (Array.isArray(where)) {
    const filled = where.map((item) => fillIn(item, user))
    return filled.includes(undefined) ? undefined : filled
  }
  if (typeof where !== 'object' || where === null) return where
  const entries = Object.entries(where).map(([name, value]) => [name, fillIn(value, user)] as const)
  return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries)
}
