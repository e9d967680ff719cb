import type { Column } from './column.ts'
import { columnsBelow, isColumn, type ObjectNode } from './column.ts'
import { effectiveSql } from './column-sql.ts'
import { literal, quoteName } from './sql-text.ts'
import type { IndexModel, TableModel } from './table-model.ts'

const ON_DELETE = { cascade: 'CASCADE', setNull: 'SET NULL', restrict: 'NO ACTION' } as const

/**
 * The statements that make a table: the STRICT base table that keeps NULL for a default, the view under the table's own
 * name that reads the truth, the triggers that make the view writable, and the indexes.
 */
export function createTableSql(table: TableModel, byName: ReadonlyMap<string, TableModel>): string[] {
  return [createBaseSql(table, byName), ...createAroundSql(table)]
}

/** All but the base table: what a migration drops and makes again. */
export function createAroundSql(table: TableModel): string[] {
  return [...indexesSql(table), createViewSql(table), ...createViewTriggerSql(table)]
}

export function createBaseSql(
  table: TableModel,
  byName: ReadonlyMap<string, TableModel>,
  name: string = table.base,
): string {
  const parts = table.columns.map((column) => {
    const isRowid = table.rowidKey && column === table.key[0]
    const single = table.key.length === 1 && column === table.key[0]
    // INT, unlike INTEGER, does not make a key the rowid.
    const storage = single && !isRowid && column.storage === 'INTEGER' ? 'INT' : column.storage
    return `${quoteName(column.name)} ${storage}${isRowid ? ' PRIMARY KEY' : single ? ' PRIMARY KEY NOT NULL' : table.key.includes(column) ? ' NOT NULL' : ''}`
  })
  if (table.singleton) parts.push(`CHECK (${quoteName(table.key[0]!.name)} = 1)`)
  if (table.key.length > 1) parts.push(`PRIMARY KEY (${names(table.key)})`)
  for (const reference of table.references) {
    const parent = byName.get(reference.table)!
    parts.push(
      `FOREIGN KEY (${names(reference.columns)}) REFERENCES ${quoteName(parent.base)} (${names(parent.key)})` +
        ` ON DELETE ${ON_DELETE[reference.onDelete]} ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED`,
    )
  }
  return `CREATE TABLE ${quoteName(name)} (${parts.join(', ')}) STRICT`
}

/** The statement that creates a declared index. */
export function createIndexSql(table: TableModel, index: IndexModel): string {
  const columns = index.columns.map((column) => effectiveSql(column)).join(', ')
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteName(index.name)} ON ${quoteName(table.base)} (${columns})`
}

function indexesSql(table: TableModel): string[] {
  const declared = [...table.unique, ...table.indexes].map((index) => createIndexSql(table, index))
  // A foreign key's own lookups are on the plain column.
  const references = table.references
    .filter((reference) => !table.key.length || reference.columns[0] !== table.key[0])
    .map(
      (reference) =>
        `CREATE INDEX ${quoteName(`${table.name}__reference_${reference.name}`)} ON ${quoteName(table.base)} (${names(reference.columns)})`,
    )
  return [...declared, ...references]
}

function createViewSql(table: TableModel): string {
  const shown = table.columns.filter((column) => !(table.singleton && column === table.key[0]))
  const columns = shown.map((column) => `${effectiveSql(column)} AS ${quoteName(column.name)}`)
  return `CREATE VIEW ${quoteName(table.name)} AS SELECT ${columns.join(', ') || 'NULL AS "_"'} FROM ${quoteName(table.base)}`
}

function createViewTriggerSql(table: TableModel): string[] {
  const view = quoteName(table.name)
  const base = quoteName(table.base)
  const trigger = (suffix: string): string => quoteName(`${table.name}__${suffix}`)
  const inserted = table.columns.map((column) =>
    table.singleton && column === table.key[0]
      ? '1'
      : column.hiddenMark === undefined
        ? insertedSql(table, column)
        : replacedSql(table, column),
  )
  const isOld = table.singleton
    ? '1'
    : table.key.map((column) => `${quoteName(column.name)} IS OLD.${quoteName(column.name)}`).join(' AND ')
  const sameKey = table.singleton
    ? '1'
    : table.key.map((column) => `NEW.${quoteName(column.name)} IS OLD.${quoteName(column.name)}`).join(' AND ')
  const statements = [
    `CREATE TRIGGER ${trigger('insert')} INSTEAD OF INSERT ON ${view} BEGIN INSERT INTO ${base} (${names(table.columns)}) VALUES (${inserted.join(', ')}); END`,
    `CREATE TRIGGER ${trigger('delete')} INSTEAD OF DELETE ON ${view} BEGIN DELETE FROM ${base} WHERE ${isOld}; END`,
  ]
  if (!table.singleton)
    statements.push(
      // A changed key moves the whole row; the triggers for single columns stand aside then.
      `CREATE TRIGGER ${trigger('rekey')} INSTEAD OF UPDATE OF ${names(table.key)} ON ${view} WHEN NOT (${sameKey}) BEGIN ` +
        `UPDATE ${base} SET ${table.columns.map((column) => `${quoteName(column.name)} = ${movedSql(table, column)}`).join(', ')} WHERE ${isOld}; END`,
    )
  const together = uniqueTogether(table)
  for (const group of together) {
    const sets = group.flatMap((column) => assignments(table, column, true))
    statements.push(
      `CREATE TRIGGER ${trigger(`update_${group.map((column) => column.name).join('__')}`)} INSTEAD OF UPDATE OF ${names(group)} ON ${view}${table.singleton ? '' : ` WHEN ${sameKey}`} BEGIN ` +
        `UPDATE ${base} SET ${[...new Set(sets)].join(', ')} WHERE ${isOld}; END`,
    )
  }
  for (const column of table.columns) {
    if (table.key.includes(column) || together.some((group) => group.includes(column))) continue
    statements.push(
      `CREATE TRIGGER ${trigger(`update_${column.name}`)} INSTEAD OF UPDATE OF ${quoteName(column.name)} ON ${view}${table.singleton ? '' : ` WHEN ${sameKey}`} BEGIN ` +
        `UPDATE ${base} SET ${assignments(table, column).join(', ')} WHERE ${isOld}; END`,
    )
  }
  return statements
}

/** What an INSERT through the view stores. SQLite tells an omitted value and NULL not apart there: both mean "absent". */
function insertedSql(table: TableModel, column: Column): string {
  const given = `NEW.${quoteName(column.name)}`
  if (column.kind === 'presence') {
    const below = columnsBelow(objectOf(table.root, column)).map((one) => `NEW.${quoteName(one.name)}`)
    const present = `CASE WHEN ${given} IS NOT NULL THEN ${given} WHEN ${anyPresent(below)} THEN 1 END`
    return column.defaultSql === null ? present : `nullif(${present}, ${literal(column.defaultSql)})`
  }
  if (column.defaultSql === null) return given
  const fallback = literal(column.defaultSql, column.storage)
  return column.full ? (column.nullable ? given : `coalesce(${given}, ${fallback})`) : `nullif(${given}, ${fallback})`
}

/**
 * INSERT OR REPLACE takes the place of a row: what is hidden there, and not given, stays hidden, as long as the objects
 * around it are there. The default would be a value that nobody meant.
 */
function replacedSql(table: TableModel, column: Column): string {
  const given = `NEW.${quoteName(column.name)}`
  const mark = literal(column.hiddenMark!)
  const sameRow = table.key.map((key) => `${quoteName(key.name)} = ${table.singleton ? '1' : insertedSql(table, key)}`)
  const conditions = [`${given} IS NULL`]
  for (let guard = column.guard; guard; guard = guard.guard)
    conditions.push(`coalesce(${insertedSql(table, guard)}, ${literal(guard.defaultSql)}) = 1`)
  const hidden = `EXISTS (SELECT 1 FROM ${quoteName(table.base)} WHERE ${sameRow.join(' AND ')} AND ${quoteName(column.name)} = ${mark})`
  return `CASE WHEN ${[...conditions, hidden].join(' AND ')} THEN ${mark} ELSE ${insertedSql(table, column)} END`
}

/** What an UPDATE through the view stores. What is hidden reads as NULL, so that a NULL leaves it hidden. */
function updatedSql(table: TableModel, column: Column): string {
  const updated = overwrittenSql(table, column)
  if (column.hiddenMark === undefined) return updated
  const name = quoteName(column.name)
  return `CASE WHEN NEW.${name} IS NULL AND ${name} = ${literal(column.hiddenMark)} THEN ${name} ELSE ${updated} END`
}

function overwrittenSql(table: TableModel, column: Column): string {
  if (column.nullMark === undefined) return insertedSql(table, column)
  const given = `NEW.${quoteName(column.name)}`
  const mark = literal(column.nullMark)
  const nulled = column.guard ? `CASE WHEN NEW.${quoteName(column.guard.name)} THEN ${mark} END` : mark
  const kept = column.defaultSql === null ? given : `nullif(${given}, ${literal(column.defaultSql, column.storage)})`
  return `CASE WHEN ${given} IS NULL THEN ${nulled} ELSE ${kept} END`
}

/** When a row moves to another key: what was not given a new value stays as it is stored. */
function movedSql(table: TableModel, column: Column): string {
  const name = quoteName(column.name)
  return `CASE WHEN NEW.${name} IS OLD.${name} THEN ${name} ELSE ${updatedSql(table, column)} END`
}

/** Columns that are unique together change together: one by one they could collide on the way. */
function uniqueTogether(table: TableModel): Column[][] {
  const groups: Set<Column>[] = []
  for (const index of table.unique) {
    const columns = index.columns.filter((column) => !table.key.includes(column))
    if (columns.length < 2) continue
    const touched = groups.filter((group) => columns.some((column) => group.has(column)))
    for (const group of touched) groups.splice(groups.indexOf(group), 1)
    groups.push(new Set([...touched.flatMap((group) => [...group]), ...columns]))
  }
  return groups.map((group) => [...group])
}

function assignments(table: TableModel, column: Column, keep = false): string[] {
  const given = `NEW.${quoteName(column.name)}`
  const next = column.kind === 'presence' && column.defaultSql === null ? given : updatedPresence(table, column)
  const name = quoteName(column.name)
  const sets = [`${name} = ${keep ? `CASE WHEN ${given} IS OLD.${name} THEN ${name} ELSE ${next} END` : next}`]
  if (column.kind === 'presence')
    for (const below of columnsBelow(objectOf(table.root, column)))
      sets.push(`${quoteName(below.name)} = CASE WHEN ${given} THEN ${quoteName(below.name)} END`)
  // A value inside an optional object brings the object into being.
  for (let guard = column.guard; guard; guard = guard.guard)
    sets.push(
      `${quoteName(guard.name)} = CASE WHEN ${given} IS NULL THEN ${quoteName(guard.name)} ELSE ${guard.defaultSql === 1 ? 'NULL' : '1'} END`,
    )
  return sets
}

function updatedPresence(table: TableModel, column: Column): string {
  if (column.kind !== 'presence' || column.defaultSql === null) return updatedSql(table, column)
  return `nullif(NEW.${quoteName(column.name)}, ${literal(column.defaultSql)})`
}

/** How many alternatives stand in a row: each lies within the next, and SQLite takes 1,000 within one another. */
const MAX_ROW = 500

function anyPresent(expressions: readonly string[]): string {
  if (expressions.length === 0) return '0'
  if (expressions.length > MAX_ROW) {
    const half = Math.ceil(expressions.length / 2)
    return `(${anyPresent(expressions.slice(0, half))}) OR (${anyPresent(expressions.slice(half))})`
  }
  return expressions.map((expression) => `${expression} IS NOT NULL`).join(' OR ')
}

/** The object whose presence a column tells. */
function objectOf(node: ObjectNode, presence: Column): ObjectNode {
  let found = node
  for (const segment of presence.segments) {
    const child = found.properties.get(segment)
    if (!child || isColumn(child)) throw new Error(`no object at '${presence.path}'`)
    found = child
  }
  return found
}

function names(columns: readonly Column[]): string {
  return columns.map((column) => quoteName(column.name)).join(', ')
}
