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

/** The rules of one table. What has no rule is denied. */
export interface TablePermissions {
  readonly canView?: Rule
  readonly canCreate?: Rule
  /** A `where` must hold for the row before and after. */
  readonly canUpdate?: Rule
  readonly canDelete?: Rule
  /** Further rules by property path: of a field, and of all below it. */
  readonly fields?: { readonly [path: string]: { readonly canUpdate?: Rule } }
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

  /** Throws ForbiddenError unless every one of these changes is allowed. */
  check(transitions: readonly RowTransition[]): void {
    if (!this.#permissions) return
    for (const transition of transitions) if (!this.#mayChange(transition)) throw new ForbiddenError()
  }

  #mayChange({ change, before, after }: RowTransition): boolean {
    const { table, op } = change
    const rules = this.#rules(table)
    if (!rules) return false
    if (op === 'insert') return this.#allows(rules.canCreate, { table, row: after!, before, after })
    if (op === 'delete')
      return this.canView(table, before!) && this.#allows(rules.canDelete, { table, row: before!, before, after })
    if (!this.canView(table, before!)) return false
    const update = (rule: Rule | undefined): boolean =>
      typeof rule === 'function'
        ? this.#allows(rule, { table, row: after!, before, after })
        : this.#allows(rule, { table, row: before!, before, after }) &&
          this.#allows(rule, { table, row: after!, before, after })
    if (!update(rules.canUpdate)) return false
    const paths = Object.keys(change.after)
    return Object.entries(rules.fields ?? {}).every(
      ([field, { canUpdate }]) =>
        canUpdate === undefined || !paths.some((path) => covers(field, path)) || update(canUpdate),
    )
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

/** Whether a rule about a field speaks of a path: the field itself, what is below it, or a whole that holds it. */
function covers(field: string, path: string): boolean {
  return path === field || path.startsWith(`${field}.`) || field.startsWith(`${path}.`)
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

/** Characters of a name. */
const MAX_NAME = 1_000

/** Who someone is to the others. */
export function nameOf(user: User | undefined): string | undefined {
  const name: unknown = user?.name ?? user?.id
  return typeof name === 'string' ? name.slice(0, MAX_NAME) : undefined
}
