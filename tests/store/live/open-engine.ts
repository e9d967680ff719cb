import { sqlJsDriver, type SqliteDriver } from '../../../src/drivers/index.ts'
import { createTableSql, defineSchema, type RowObject } from '../../../src/schema/index.ts'
import { Engine } from '../../../src/store/engine.ts'
import { RowWriter } from '../../../src/store/rows/row-writer.ts'
import type { TableRows } from '../../../src/store/rows/table-rows.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, title: { type: 'string' } } },
    },
    pin: {
      primaryKey: 'id',
      indexes: [['rank'], ['layerId', 'rank']],
      references: { layerId: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer' },
          layerId: { type: ['string', 'null'] },
          rank: { type: ['integer', 'null'] },
          size: { type: 'number', default: 5 },
          label: {
            type: 'object',
            required: ['text'],
            properties: { text: { type: 'string' }, weight: { type: 'integer', default: 3 } },
          },
          points: { type: 'array', items: { type: 'integer' } },
          note: { type: 'string' },
        },
      },
    },
  },
})

export interface Pin {
  readonly id: number
  readonly layerId?: string | null
  readonly rank?: number | null
  readonly size?: number
  readonly label?: { readonly text: string; readonly weight?: number }
  readonly points?: readonly number[]
  readonly note?: string
  readonly [extra: string]: unknown
}

export interface Opened {
  readonly engine: Engine
  readonly pins: TableRows
  readonly pin: RowWriter
  readonly layer: RowWriter
  /** How many statements were run since the last call: reads, not the writer's. */
  takeReads(): string[]
}

/** A store's engine on a real database, with its reads counted. */
export async function openEngine(rows: readonly Pin[] = []): Promise<Opened> {
  const driver = await sqlJsDriver().open()
  const byName = new Map([...schema.tables].map(([name, table]) => [name, table.model]))
  for (const { model } of schema.tables.values()) for (const sql of createTableSql(model, byName)) driver.exec(sql)
  const reads: string[] = []
  const engine = new Engine(counting(driver, reads), schema)
  const pins = engine.byName.get('pin')!
  const layer = new RowWriter(engine, engine.byName.get('layer')!, undefined)
  const pin = new RowWriter(engine, pins, undefined)
  layer.insert(['a', 'b', 'c'].map((id) => ({ id, title: `Layer ${id}` })))
  if (rows.length > 0) pin.insert(rows as readonly RowObject[])
  reads.length = 0
  return { engine, pins, pin, layer, takeReads: () => reads.splice(0) }
}

function counting(driver: SqliteDriver, reads: string[]): SqliteDriver {
  return new Proxy(driver, {
    get(target, name) {
      if (name !== 'prepare') {
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? (member as (...args: unknown[]) => unknown).bind(target) : member
      }
      return (sql: string) => {
        const statement = target.prepare(sql)
        const count = (): void => void (/^\s*(SELECT|EXPLAIN|WITH)/i.test(sql) && reads.push(sql))
        return {
          run: (parameters?: readonly never[]) => statement.run(parameters),
          get: (parameters?: readonly never[]) => (count(), statement.get(parameters)),
          all: (parameters?: readonly never[]) => (count(), statement.all(parameters)),
          iterate: (parameters?: readonly never[]) => (count(), statement.iterate(parameters)),
          columns: statement.columns,
          text: statement.text,
          finalize: () => statement.finalize(),
        }
      }
    },
  })
}
