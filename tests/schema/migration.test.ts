import { describe, expect, it } from 'vitest'
import {
  MigrationError,
  ReadOnlyError,
  SchemaError,
  SqlError,
  ValidationError,
  VersionError,
} from '../../src/errors/index.ts'
import { createDatabase, openDatabase, readMetadata, type Schema } from '../../src/schema/index.ts'
import type { SqliteDriver } from '../../src/drivers/index.ts'
import { dumpDatabase } from '../support/dump-database.ts'
import { faultyDriver, InjectedFault } from '../support/faulty-driver.ts'
import { drivers, filled, insertRows, migrated, readRows, schemaOf, table } from './migration-support.ts'

const text = { type: 'string' } as const
const integer = { type: 'integer' } as const

/** The error of a migration that must leave everything as it was. */
function refused(driver: SqliteDriver, schema: Schema): MigrationError {
  const before = dumpDatabase(driver)
  let thrown: unknown
  try {
    openDatabase(driver, schema)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(MigrationError)
  expect(dumpDatabase(driver)).toEqual(before)
  return thrown as MigrationError
}

describe.each(drivers)('on %s', (_name, factory) => {
  describe('createDatabase', () => {
    it('writes the tables, the metadata and the singletons that their defaults make valid', async () => {
      const schema = schemaOf(4, {
        pin: table({ size: integer }),
        scene: { singleton: true, schema: { type: 'object', properties: { zoom: { ...integer, default: 3 } } } },
        owner: { singleton: true, schema: { type: 'object', required: ['name'], properties: { name: text } } },
      })
      const driver = await filled(factory, schema, {})
      expect(readRows(driver, schema)).toEqual({ pin: [], scene: [{ zoom: 3 }], owner: [] })
      expect(readMetadata(driver)).toEqual({ format: 1, schemaVersion: 4, definition: schema.definition })
    })

    it('leaves nothing behind when any step fails', async () => {
      const schema = schemaOf(1, { a: table({}), b: table({ a: text }, { references: { a: { table: 'a' } } }) })
      const empty = dumpDatabase(await factory.open())
      const counter = faultyDriver(await factory.open())
      createDatabase(counter, schema)
      for (let failAt = 1; failAt <= counter.calls; failAt++) {
        const driver = await factory.open()
        expect(() => createDatabase(faultyDriver(driver, failAt), schema), `call ${failAt}`).toThrow(InjectedFault)
        expect(dumpDatabase(driver), `call ${failAt}`).toEqual(empty)
        driver.close()
      }
    })
  })

  describe('openDatabase', () => {
    const schema = schemaOf(2, { pin: table({ size: { ...integer, title: 'Size' } }) })

    it('refuses a database that rowcast has not made', async () => {
      const driver = await factory.open()
      expect(() => openDatabase(driver, schema)).toThrow(/not a rowcast database: it has no rowcast_meta table/)
    })

    it.each([
      ["UPDATE rowcast_meta SET value = 'x' WHERE key = 'schemaVersion'", /schemaVersion/],
      ["DELETE FROM rowcast_meta WHERE key = 'format'", /format/],
      ["UPDATE rowcast_meta SET value = '{' WHERE key = 'schema'", /no JSON/],
      ["UPDATE rowcast_meta SET value = '[]' WHERE key = 'schema'", /no schema document/],
      ["UPDATE rowcast_meta SET value = '9' WHERE key = 'format'", /use a newer rowcast/],
      ['DROP VIEW pin', /table 'pin' is missing/],
      ['DROP TABLE rowcast_meta; CREATE TABLE rowcast_meta (a)', /no such column/],
    ])('refuses damaged metadata: %s', async (sql, message) => {
      const driver = await filled(factory, schema, {})
      driver.exec(sql)
      expect(() => openDatabase(driver, schema)).toThrow(SqlError)
      expect(() => openDatabase(driver, schema)).toThrow(message)
    })

    it('refuses a database newer than the code', async () => {
      const driver = await filled(factory, schema, {})
      expect(() => openDatabase(driver, schemaOf(1, { pin: table({}) }))).toThrow(VersionError)
    })

    it('leaves a database of the same document alone, annotations and the order of keys aside', async () => {
      const driver = await filled(factory, schema, { pin: [{ id: 'a' }] })
      const before = dumpDatabase(driver)
      const same = schemaOf(2, {
        pin: {
          schema: { description: 'A pin', properties: { size: integer, id: text }, required: ['id'], type: 'object' },
          primaryKey: 'id',
        },
      })
      expect(openDatabase(driver, same)).toEqual({ migratedFrom: undefined })
      expect(dumpDatabase(driver)).toEqual(before)
    })

    it('migrates a read-only copy in memory, and refuses to touch an older file', async () => {
      const older = schemaOf(1, { pin: table({}) })
      const driver = await filled(factory, older, { pin: [{ id: 'a' }] })
      const before = dumpDatabase(driver)
      const file = { ...faultyDriver(driver), durable: true }
      expect(() => openDatabase(file, schema, { readOnly: true })).toThrow(ReadOnlyError)
      expect(dumpDatabase(driver)).toEqual(before)
      expect(openDatabase(driver, schema, { readOnly: true })).toEqual({ migratedFrom: 1 })
    })

    it('does not take a property called title for an annotation', async () => {
      const driver = await filled(factory, schemaOf(1, { pin: table({ title: text }) }), {})
      expect(refused(driver, schemaOf(1, { pin: table({ title: integer }) })).message).toMatch(/raise "version"/)
    })
  })

  describe('a computed migration', () => {
    it('adds properties, tables and indexes, and keeps every row', async () => {
      const before = schemaOf(1, { pin: table({ size: { ...integer, default: 10 } }) })
      const after = schemaOf(2, {
        pin: table(
          { size: { ...integer, default: 10 }, label: text, color: { ...text, default: 'red' } },
          { indexes: [['size']], unique: [['label']] },
        ),
        scene: { singleton: true, schema: { type: 'object', properties: { zoom: { ...integer, default: 1 } } } },
      })
      const { driver, rows } = await migrated(
        factory,
        before,
        { pin: [{ id: 'a' }, { id: 'b', size: 3, extra: [1] }] },
        after,
      )
      expect(rows).toEqual({
        pin: [
          { id: 'a', size: 10, color: 'red' },
          { id: 'b', size: 3, color: 'red', extra: [1] },
        ],
        scene: [{ zoom: 1 }],
      })
      const fresh = await filled(factory, after, rows.pin ? { pin: rows.pin } : {})
      expect(dumpDatabase(driver).filter((row) => row[0] !== 'rowcast_meta')).toEqual(
        dumpDatabase(fresh).filter((row) => row[0] !== 'rowcast_meta'),
      )
      expect(readMetadata(driver)?.schemaVersion).toBe(2)
      expect(openDatabase(driver, after)).toEqual({ migratedFrom: undefined })
    })

    it('touches only the version where the tables are the same', async () => {
      const before = schemaOf(1, { pin: table({}) })
      const calls = await Promise.all(
        [1, 50].map(async (rows) => {
          const pin = Array.from({ length: rows }, (_, n) => ({ id: `p${n}` }))
          const counter = faultyDriver(await filled(factory, before, { pin }))
          expect(openDatabase(counter, schemaOf(2, { pin: table({}) }))).toEqual({ migratedFrom: 1 })
          return counter.calls
        }),
      )
      expect(calls[1]).toBe(calls[0])
      // That the tables are tables, and not views that a file has in their place, is asked as well.
      expect(calls[0]).toBeLessThanOrEqual(16)
    })

    it('shows a changed default, keeps what was set, and writes a default out that is gone', async () => {
      const before = schemaOf(1, {
        pin: table({
          a: { ...integer, default: 1 },
          b: { ...integer, default: 1 },
          c: { type: ['integer', 'null'], default: null },
        }),
      })
      const after = schemaOf(2, {
        pin: table({ a: { ...integer, default: 2 }, b: integer, c: { type: ['integer', 'null'], default: 7 } }),
      })
      const { rows } = await migrated(factory, before, { pin: [{ id: 'x' }, { id: 'y', a: 5, b: 6, c: 8 }] }, after)
      expect(rows['pin']).toEqual([
        { id: 'x', a: 2, b: 1, c: 7 },
        { id: 'y', a: 5, b: 6, c: 8 },
      ])
    })

    it('keeps null apart from absent when the mark of null comes and goes', async () => {
      const nullable = { type: ['string', 'null'] } as const
      const before = schemaOf(1, { pin: table({ a: nullable, b: nullable }, { required: ['b'] }) })
      const after = schemaOf(2, { pin: table({ a: nullable, b: nullable }) })
      const data = [
        { id: 'x', a: null, b: null },
        { id: 'y', b: 'b' },
      ]
      const { rows } = await migrated(factory, before, { pin: data }, after)
      expect(rows['pin']).toEqual(data)
    })

    it('keeps the value of a removed property as an undeclared one, and takes it back', async () => {
      const before = schemaOf(1, { pin: table({ text: { type: 'object', properties: { size: integer } } }) })
      const after = schemaOf(2, { pin: table({}) })
      const { driver, rows } = await migrated(factory, before, { pin: [{ id: 'x', text: { size: 4 } }] }, after)
      expect(rows['pin']).toEqual([{ id: 'x', text: { size: 4 } }])
      openDatabase(driver, schemaOf(3, before.definition.tables))
      expect(readRows(driver, before)['pin']).toEqual([{ id: 'x', text: { size: 4 } }])
    })

    it('stops where a removed property has a value and the schema allows no undeclared ones', async () => {
      const before = schemaOf(1, { pin: table({ old: text }) })
      const after = schemaOf(2, { pin: table({}, { strict: true }) })
      const error = refused(await filled(factory, before, { pin: [{ id: 'x', old: 'kept' }, { id: 'y' }] }), after)
      expect(error.issues).toEqual([
        expect.objectContaining({ table: 'pin', key: 'x', path: 'old', keyword: 'additionalProperties' }),
      ])
      expect(error.message).toMatch(/refuses 1 row, the first: table 'pin' "x" at 'old'.*migrations\[2\]/)
      const { rows } = await migrated(factory, before, { pin: [{ id: 'y' }] }, after)
      expect(rows['pin']).toEqual([{ id: 'y' }])
    })

    it('stops where a tightened constraint refuses rows, with at most 100 issues and all counted', async () => {
      const before = schemaOf(1, { pin: table({ size: integer }) })
      const data = Array.from({ length: 150 }, (_, n) => ({ id: `p${n}`, size: n }))
      const error = refused(
        await filled(factory, before, { pin: data }),
        schemaOf(2, { pin: table({ size: { ...integer, maximum: 9 } }) }),
      )
      expect(error.issues).toHaveLength(100)
      expect(error.issues[0]).toMatchObject({ table: 'pin', key: 'p10', path: 'size', keyword: 'maximum' })
      expect(error.message).toMatch(/140 rows/)
    })

    it('stops where a new unique constraint does not hold', async () => {
      const driver = await filled(factory, schemaOf(1, { pin: table({ slug: text }) }), {
        pin: [
          { id: 'a', slug: 's' },
          { id: 'b', slug: 's' },
        ],
      })
      expect(refused(driver, schemaOf(2, { pin: table({ slug: text }, { unique: [['slug']] }) })).issues).toEqual([
        expect.objectContaining({ key: 'b', path: 'slug', keyword: 'unique' }),
      ])
    })

    it('stops where a new reference points to nothing', async () => {
      const tables = { layer: table({}), pin: table({ layer: text }) }
      const driver = await filled(factory, schemaOf(1, tables), {
        layer: [{ id: 'l' }],
        pin: [
          { id: 'a', layer: 'l' },
          { id: 'b', layer: 'none' },
        ],
      })
      const after = schemaOf(2, {
        ...tables,
        pin: table({ layer: text }, { references: { layer: { table: 'layer' } } }),
      })
      expect(refused(driver, after).issues).toEqual([
        expect.objectContaining({ table: 'pin', key: 'b', path: 'layer', keyword: 'references' }),
      ])
    })

    it('changes a type where the JSON value stays the same, and stops where it does not', async () => {
      const before = schemaOf(1, {
        pin: table({
          a: integer,
          b: { type: 'integer', format: 'int64' },
          c: { type: 'string', contentEncoding: 'base64' },
          d: text,
        }),
      })
      const after = schemaOf(2, {
        pin: table({
          a: { type: 'integer', format: 'int64' },
          b: integer,
          c: text,
          d: { type: 'string', contentEncoding: 'base64' },
        }),
      })
      const row = { id: 'x', a: 5, b: 6n, c: Uint8Array.of(1, 2), d: 'AQI=' }
      const { rows } = await migrated(factory, before, { pin: [row] }, after)
      expect(rows['pin']).toEqual([{ id: 'x', a: 5n, b: 6, c: 'AQI=', d: Uint8Array.of(1, 2) }])
      const beyond = await filled(factory, before, { pin: [{ ...row, b: 2n ** 60n }] })
      expect(refused(beyond, after).issues).toEqual([expect.objectContaining({ key: 'x', path: 'b' })])
    })

    it('refuses to drop a table that has rows, and drops an empty one', async () => {
      const before = schemaOf(1, { pin: table({}), gone: table({}) })
      const after = schemaOf(2, { pin: table({}) })
      expect(refused(await filled(factory, before, { gone: [{ id: 'g' }] }), after).message).toMatch(
        /'gone' has 1 row.*renamedFrom/,
      )
      const { driver } = await migrated(factory, before, { pin: [{ id: 'p' }] }, after)
      expect(dumpDatabase(driver).some((row) => String(row[1]).includes('gone'))).toBe(false)
    })

    it('keeps references, also circular ones and to the table itself, while their tables are stored anew', async () => {
      const layer = { parent: text, cover: text }
      const references = { parent: { table: 'layer' }, cover: { table: 'pin', onDelete: 'setNull' } } as const
      const pin = table({ layer: text }, { references: { layer: { table: 'layer', onDelete: 'cascade' } } })
      const before = schemaOf(1, { layer: table(layer, { references }), pin })
      const after = schemaOf(2, { layer: table({ ...layer, name: { ...text, default: 'n' } }, { references }), pin })
      const data = {
        layer: [
          { id: 'a', parent: 'b', cover: 'p' },
          { id: 'b', parent: 'a' },
        ],
        pin: [{ id: 'p', layer: 'a' }],
      }
      const { driver, rows } = await migrated(factory, before, data, after)
      expect(rows).toEqual({ layer: data.layer.map((row) => ({ ...row, name: 'n' })), pin: data.pin })
      expect(() => driver.exec("INSERT INTO pin (id, layer) VALUES ('q', 'none')")).toThrow(/FOREIGN KEY/)
      driver.exec("UPDATE layer SET parent = NULL, cover = NULL; DELETE FROM layer WHERE id = 'a'")
      expect(readRows(driver, after)['pin']).toEqual([])
    })
  })

  describe('a declared rename', () => {
    it('moves properties, objects and defaults to their new paths', async () => {
      const before = schemaOf(1, {
        pin: table({
          label: { type: 'object', required: ['t'], properties: { t: text, size: { ...integer, default: 1 } } },
          x: integer,
        }),
      })
      const after = schemaOf(2, {
        pin: table(
          {
            text: {
              type: 'object',
              required: ['t'],
              properties: { t: text, font: { type: 'object', properties: { size: integer } } },
            },
            position: { type: 'object', properties: { x: integer } },
          },
          { strict: true, renames: { text: 'label', 'text.font.size': 'label.size', 'position.x': ['px', 'x'] } },
        ),
      })
      const { driver, rows } = await migrated(
        factory,
        before,
        { pin: [{ id: 'a', x: 5, label: { t: 'T', size: 2 } }, { id: 'b', label: { t: 'U' } }, { id: 'c' }] },
        after,
      )
      expect(rows['pin']).toEqual([
        { id: 'a', position: { x: 5 }, text: { t: 'T', font: { size: 2 } } },
        { id: 'b', text: { t: 'U', font: { size: 1 } } },
        { id: 'c' },
      ])
      const later = schemaOf(3, after.definition.tables)
      openDatabase(driver, later)
      expect(readRows(driver, later)).toEqual(rows)
    })

    it('renames a table and its key, and the references follow', async () => {
      const before = schemaOf(1, {
        layer: table({}),
        pin: table({ layer: text }, { references: { layer: { table: 'layer' } } }),
      })
      const after = schemaOf(2, {
        pin: table({ layer: text }, { references: { layer: { table: 'group' } } }),
        group: {
          primaryKey: 'key',
          renamedFrom: 'layer',
          renames: { key: 'id' },
          schema: { type: 'object', required: ['key'], properties: { key: text } },
        },
      })
      const { rows } = await migrated(factory, before, { layer: [{ id: 'l' }], pin: [{ id: 'p', layer: 'l' }] }, after)
      expect(rows).toEqual({ group: [{ key: 'l' }], pin: [{ id: 'p', layer: 'l' }] })
    })

    it.each([
      ['a new path that is not declared', { renames: { nowhere: 'x' } }],
      ['an old path that is still declared', { renames: { size: 'id' } }],
      ['one old path for two', { renames: { size: 'x', label: 'x' } }],
      ['an old table that is still there', { renamedFrom: 'pin' }],
      ['no name at all', { renamedFrom: [] }],
    ])('is refused at definition for %s', (_what, more) => {
      expect(() => schemaOf(1, { pin: table({ size: integer, label: integer }, more) })).toThrow(SchemaError)
    })

    it('is refused where the database has both properties', async () => {
      const driver = await filled(factory, schemaOf(1, { pin: table({ a: text, b: text }) }), {})
      expect(refused(driver, schemaOf(2, { pin: table({ b: text }, { renames: { b: 'a' } }) })).message).toMatch(
        /both 'a' and 'b'/,
      )
    })
  })

  describe('a migration function', () => {
    const before = schemaOf(1, { pin: table({ size: { ...text, default: '1' } }) })
    const data = { pin: [{ id: 'a', size: '5' }, { id: 'b' }] }
    const tables = { pin: table({ size: integer }, { required: ['size'] }) }

    it('sees the old tables beside the new and writes the rows that could not be carried over', async () => {
      const after = schemaOf(2, tables, {
        2: (db) => {
          expect([db.from, db.to]).toEqual([1, 2])
          expect(db.query({ sql: 'SELECT id, size FROM old_pin ORDER BY id' })).toEqual([
            { id: 'a', size: '5' },
            { id: 'b', size: '1' },
          ])
          expect(db.query({ sql: 'SELECT * FROM pin' })).toEqual([])
          expect(db.refused('pin').map(({ key }) => key)).toEqual(['a', 'b'])
          expect(() => db.insert('pin', { id: 'a', size: 'no' })).toThrow(ValidationError)
          for (const { row } of db.refused()) db.insert('pin', { ...row, size: Number(row['size']) })
          expect(() => db.insert('pin', { id: 'a', size: 1 })).toThrow(/'id' is taken/)
          expect(db.exec({ sql: 'UPDATE pin SET size = size * ?', parameters: [2] })).toEqual({ changes: 2 })
        },
      })
      const { driver, rows } = await migrated(factory, before, data, after)
      expect(rows['pin']).toEqual([
        { id: 'a', size: 10 },
        { id: 'b', size: 2 },
      ])
      expect(dumpDatabase(driver).some((row) => String(row[1]).includes('old_'))).toBe(false)
    })

    it('must deal with every refused row: writing it or giving it up', async () => {
      const driver = await filled(factory, before, data)
      const error = refused(driver, schemaOf(2, tables, { 2: (db) => db.discard('pin', 'a') }))
      expect(error.issues).toEqual([expect.objectContaining({ key: 'b', path: 'size' })])
      openDatabase(driver, schemaOf(2, tables, { 2: (db) => db.discard('pin') }))
      expect(readRows(driver, before)['pin']).toEqual([])
    })

    it('may drop a table after reading it', async () => {
      const old = schemaOf(1, { pin: table({}), gone: table({ n: integer }) })
      const after = schemaOf(
        2,
        { pin: table({ n: integer }) },
        {
          2: (db) => void db.exec({ sql: 'INSERT INTO pin (id, n) SELECT id, n FROM old_gone' }),
        },
      )
      expect((await migrated(factory, old, { gone: [{ id: 'g', n: 1 }] }, after)).rows['pin']).toEqual([
        { id: 'g', n: 1 },
      ])
    })

    it('runs for each version between, in order', async () => {
      const ran: number[] = []
      const run = (version: number) => () => void ran.push(version)
      const after = schemaOf(4, before.definition.tables, { 4: run(4), 2: run(2), 3: run(3) })
      const driver = await filled(factory, schemaOf(2, before.definition.tables), {})
      openDatabase(driver, after)
      expect(ran).toEqual([3, 4])
    })

    it.each<[string, NonNullable<Schema['migrations'][number]>, RegExp]>([
      [
        'leaves an invalid row',
        (db) => (db.discard('pin'), void db.exec({ sql: "INSERT INTO pin (id) VALUES ('z')" })),
        /'pin' "z" at 'size'/,
      ],
      ['is async', async () => undefined, /synchronous/],
    ])('is undone when it %s', async (_what, migration, message) => {
      expect(refused(await filled(factory, before, data), schemaOf(2, tables, { 2: migration })).message).toMatch(
        message,
      )
    })

    it('is undone when it throws, and its error is the one thrown', async () => {
      const driver = await filled(factory, before, data)
      const dump = dumpDatabase(driver)
      const own = new Error('own')
      const throwing = schemaOf(2, tables, {
        2: () => {
          throw own
        },
      })
      expect(() => openDatabase(driver, throwing)).toThrow(own)
      expect(dumpDatabase(driver)).toEqual(dump)
    })

    it.each(['COMMIT', '-- x\n rollback', '/* x */ PRAGMA foreign_keys=OFF', 'SELECT 1; COMMIT'])(
      'can not run %j',
      async (sql) => {
        const driver = await filled(factory, before, data)
        const dump = dumpDatabase(driver)
        expect(() => openDatabase(driver, schemaOf(2, tables, { 2: (db) => void db.exec({ sql }) }))).toThrow(SqlError)
        expect(dumpDatabase(driver)).toEqual(dump)
      },
    )
  })

  it('leaves the old database when any step of a migration fails', async () => {
    const before = schemaOf(1, {
      layer: table({ parent: text }, { references: { parent: { table: 'layer' } } }),
      pin: table({ a: text, layer: text }, { references: { layer: { table: 'layer' } }, indexes: [['a']] }),
    })
    const after = schemaOf(
      2,
      {
        layer: table({ parent: text, n: integer }, { references: { parent: { table: 'layer' } } }),
        pin: table({ b: text, layer: text }, { renames: { b: 'a' }, references: { layer: { table: 'layer' } } }),
      },
      { 2: (db) => (db.insert('layer', { id: 'new' }), void db.exec({ sql: 'UPDATE pin SET b = upper(b)' })) },
    )
    const open = async (): Promise<SqliteDriver> =>
      filled(factory, before, {
        layer: [{ id: 'l', parent: 'l' }],
        pin: [{ id: 'p', a: 'x', layer: 'l' }, { id: 'q' }],
      })
    const counter = faultyDriver(await open())
    openDatabase(counter, after)
    expect(counter.calls).toBeGreaterThan(50)
    for (let failAt = 1; failAt <= counter.calls; failAt++) {
      const driver = await open()
      const dump = dumpDatabase(driver)
      expect(() => openDatabase(faultyDriver(driver, failAt), after), `call ${failAt}`).toThrow(InjectedFault)
      expect(dumpDatabase(driver), `call ${failAt}`).toEqual(dump)
      openDatabase(driver, after)
      expect(readRows(driver, after)['pin'], `call ${failAt}`).toEqual([{ id: 'p', b: 'X', layer: 'l' }, { id: 'q' }])
      driver.close()
    }
  })

  it('survives a serialised copy: a migrated file opens as up to date', async () => {
    const before = schemaOf(1, { pin: table({}) })
    const after = schemaOf(2, { pin: table({ a: { ...integer, default: 2 } }) })
    const driver = await filled(factory, before, { pin: [{ id: 'a' }] })
    const copy = await factory.open(driver.serialize())
    openDatabase(copy, after)
    const again = await factory.open(copy.serialize())
    expect(openDatabase(again, after)).toEqual({ migratedFrom: undefined })
    insertRows(again, after, { pin: [{ id: 'b' }] })
    expect(readRows(again, after)['pin']).toEqual([
      { id: 'a', a: 2 },
      { id: 'b', a: 2 },
    ])
  })
})
