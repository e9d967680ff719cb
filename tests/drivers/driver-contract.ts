import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { SqlError, StoreClosedError } from '../../src/errors/index.ts'
import type { SqliteDriver, SqliteDriverFactory, SqlValue } from '../../src/drivers/index.ts'

/** What every `SqliteDriver` keeps to. A new one is tested by calling this with its factory. */
export function runDriverContract(name: string, factory: SqliteDriverFactory): void {
  const opened: SqliteDriver[] = []

  async function open(bytes?: Uint8Array): Promise<SqliteDriver> {
    const driver = await factory.open(bytes)
    opened.push(driver)
    return driver
  }

  async function openWith(sql: string): Promise<SqliteDriver> {
    const driver = await open()
    driver.exec(sql)
    return driver
  }

  afterEach(() => {
    for (const driver of opened.splice(0)) driver.close()
  })

  describe(`${name}: values`, () => {
    const limits: readonly (readonly [string, SqlValue])[] = [
      ['INTEGER', 0],
      ['INTEGER', -1],
      ['INTEGER', 2 ** 31],
      ['INTEGER', -(2 ** 31) - 1],
      ['INTEGER', 2 ** 40],
      ['INTEGER', Number.MAX_SAFE_INTEGER],
      ['INTEGER', Number.MIN_SAFE_INTEGER],
      ['INTEGER', 2n ** 53n],
      ['INTEGER', -(2n ** 53n)],
      ['INTEGER', 2n ** 53n + 1n],
      ['INTEGER', 2n ** 63n - 1n],
      ['INTEGER', -(2n ** 63n)],
      ['REAL', 0.1],
      ['REAL', 5e-324],
      ['REAL', Number.MAX_VALUE],
      ['REAL', -Number.MAX_VALUE],
      ['REAL', 1e300],
      ['REAL', 2 ** 53],
      ['REAL', Infinity],
      ['TEXT', ''],
      ['TEXT', 'a\0b'],
      ['TEXT', '𝄞 é 日本'],
      ['TEXT', 'it\'s "quoted"'],
      ['TEXT', '12'],
      ['BLOB', new Uint8Array(0)],
      ['BLOB', new Uint8Array([0, 1, 127, 128, 255])],
      ['INTEGER', null],
      ['TEXT', null],
    ]
    test.each(limits)('a STRICT %s column gives %s back exactly', async (type, value) => {
      const driver = await openWith(`CREATE TABLE t (v ${type}) STRICT`)
      driver.prepare('INSERT INTO t VALUES (?)').run([value])
      const read = driver.prepare('SELECT v FROM t')
      expect(read.get()).toEqual([value])
      expect(read.all()).toEqual([[value]])
      expect([...read.iterate()]).toEqual([[value]])
    })

    test('any number, text or blob comes back as it went in', async () => {
      const driver = await openWith('CREATE TABLE t (r REAL, s TEXT, b BLOB, i INTEGER) STRICT')
      const write = driver.prepare('INSERT OR REPLACE INTO t (rowid, r, s, b, i) VALUES (1, ?, ?, ?, ?)')
      const read = driver.prepare('SELECT r, s, b, i FROM t')
      fc.assert(
        fc.property(
          fc.double({ noNaN: true }),
          fc.string({ unit: 'binary' }),
          fc.uint8Array(),
          fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          (real, text, blob, integer) => {
            write.run([real, text, blob, integer])
            const exact = Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
            // Node's pool of small buffers must not show.
            expect(read.get()).toEqual([real === 0 ? 0 : real, text, new Uint8Array(blob), exact])
          },
        ),
      )
    })

    test('an integer beyond 2^53 stands beside a REAL and a small integer in one row', async () => {
      const driver = await open()
      expect(select(driver, 'SELECT 9007199254740993, 1e17, 7, -9223372036854775808')).toEqual([
        [9007199254740993n, 1e17, 7, -(2n ** 63n)],
      ])
    })

    test('NaN is stored as NULL and -0 as 0', async () => {
      const driver = await open()
      expect(select(driver, 'SELECT ?, ?', NaN, -0)).toEqual([[null, 0]])
    })

    test('a lone surrogate is stored as the replacement character', async () => {
      const driver = await open()
      expect(select(driver, 'SELECT ?, hex(?)', 'a\ud800b', '\ud800')).toEqual([['a\ufffdb', 'EFBFBD']])
    })

    test('a whole number and a small bigint are bound as INTEGER', async () => {
      const driver = await open()
      expect(select(driver, 'SELECT typeof(?), typeof(?), ? / 2, typeof(?)', 5, 5n, 5, 0.5)).toEqual([
        ['integer', 'integer', 2, 'real'],
      ])
    })

    test('a bigint finds its row by an INTEGER key', async () => {
      const driver = await openWith(
        'CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES (9007199254740993)',
      )
      expect(select(driver, 'SELECT id FROM t WHERE id = ?', 9007199254740993n)).toEqual([[9007199254740993n]])
      expect(select(driver, 'SELECT id FROM t WHERE id = ?', 9007199254740992n)).toEqual([])
    })

    test('a STRICT table refuses a value of another type', async () => {
      const driver = await openWith('CREATE TABLE t (v INTEGER) STRICT')
      expect(() => driver.prepare('INSERT INTO t VALUES (?)').run(['x'])).toThrow(/cannot store TEXT value in INTEGER/)
    })
  })

  describe(`${name}: statements`, () => {
    test('text is the first statement alone and columns are the names of its result', async () => {
      const driver = await openWith('CREATE TABLE t (a)')
      const statement = driver.prepare('SELECT 1 AS one, 2 AS "two words"; DROP TABLE t')
      expect(statement.text).toBe('SELECT 1 AS one, 2 AS "two words";')
      expect(statement.columns).toEqual(['one', 'two words'])
      expect(statement.all()).toEqual([[1, 2]])
      expect(driver.prepare('INSERT INTO t VALUES (1)').columns).toEqual([])
    })

    test('exec runs several statements', async () => {
      const driver = await openWith('CREATE TABLE t (a); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); SELECT 3;')
      expect(select(driver, 'SELECT count(*) FROM t')).toEqual([[2]])
    })

    test('no row is undefined, and the parameters of an earlier use are forgotten', async () => {
      const driver = await open()
      const statement = driver.prepare('SELECT ?1 WHERE ?1 IS NOT 0')
      expect(statement.get([5])).toEqual([5])
      expect(statement.get([0])).toBeUndefined()
      expect(statement.get()).toEqual([null])
    })

    test('run finishes a statement that gives rows', async () => {
      const driver = await openWith('CREATE TABLE t (a)')
      driver.prepare('INSERT INTO t VALUES (1), (2), (3) RETURNING a').run()
      expect(select(driver, 'SELECT count(*) FROM t')).toEqual([[3]])
    })

    test.each(['SELEC 1', 'SELECT * FROM missing', '', '-- only a comment'])(
      '%j is refused with a SqlError',
      async (sql) => {
        const driver = await open()
        expect(() => driver.prepare(sql)).toThrow(SqlError)
      },
    )

    test('too many parameters are refused and the statement can be used again', async () => {
      const driver = await open()
      const statement = driver.prepare('SELECT ?')
      expect(() => statement.get([1, 2])).toThrow(SqlError)
      expect(statement.get([3])).toEqual([3])
    })

    test('the frame of a window takes parameters', async () => {
      const driver = await openWith('CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2), (3), (4)')
      const over = (frame: string, ...parameters: number[]): unknown =>
        driver.prepare(`SELECT sum(n) OVER (ORDER BY n ${frame}) AS sum FROM t`).all(parameters).flat()
      expect(over('ROWS BETWEEN ? PRECEDING AND CURRENT ROW', 1)).toEqual([1, 3, 5, 7])
      expect(over('range (? + 1) preceding', 1)).toEqual([1, 3, 6, 9])
      expect(over('GROUPS BETWEEN CURRENT ROW\nAND ?1 FOLLOWING', 1)).toEqual([3, 5, 7, 4])
    })

    test('a constraint that fails leaves the statement usable and the transaction able to commit', async () => {
      const driver = await openWith('CREATE TABLE t (a UNIQUE, b NOT NULL)')
      const insert = driver.prepare('INSERT INTO t VALUES (?, ?)')
      driver.exec('BEGIN')
      insert.run([1, 1])
      expect(() => insert.run([1, 2])).toThrow('UNIQUE constraint failed: t.a')
      expect(() => insert.run([2, null])).toThrow('NOT NULL constraint failed: t.b')
      insert.run([2, 2])
      driver.exec('COMMIT')
      expect(select(driver, 'SELECT * FROM t')).toEqual([
        [1, 1],
        [2, 2],
      ])
    })

    test('an iteration that ends early holds no lock', async () => {
      const driver = await openWith('CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3); BEGIN')
      const rows = driver.prepare('SELECT a FROM t')
      for (const row of rows.iterate()) {
        expect(row).toEqual([1])
        break
      }
      expect(() => {
        for (const _ of rows.iterate()) throw new Error('mine')
      }).toThrow('mine')
      driver.exec('COMMIT; DROP TABLE t')
      expect(select(driver, `SELECT * FROM sqlite_schema`)).toEqual([])
    })

    test('a statement that was used holds no lock, whether it ran to its end, was cut short or failed', async () => {
      const driver = await openWith('CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1), (2), (3)')
      const read = driver.prepare('SELECT a FROM t')
      expect(read.get()).toEqual([1])
      const insert = driver.prepare('INSERT INTO t VALUES (4), (1) RETURNING a')
      expect(() => insert.run()).toThrow(SqlError)
      expect(() => insert.get()).toThrow(SqlError)
      expect(() => insert.all()).toThrow(SqlError)
      const zero = driver.prepare('SELECT abs(CASE a WHEN 2 THEN -9223372036854775808 ELSE a END) FROM t')
      expect(() => zero.all()).toThrow('integer overflow')
      expect(() => zero.run()).toThrow('integer overflow')
      driver.exec('DROP TABLE t')
      expect(() => driver.prepare('SELECT a FROM t')).toThrow('no such table')
    })

    test('a finalized statement refuses to be used', async () => {
      const driver = await open()
      const statement = driver.prepare('SELECT 1')
      statement.finalize()
      statement.finalize()
      for (const use of [
        () => statement.run(),
        () => statement.get(),
        () => statement.all(),
        () => [...statement.iterate()],
      ]) {
        expect(use).toThrow(StoreClosedError)
      }
    })

    test('savepoints undo what came after them', async () => {
      const driver = await openWith(
        'CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s; INSERT INTO t VALUES (2)',
      )
      driver.exec('ROLLBACK TO s; RELEASE s; COMMIT')
      expect(select(driver, 'SELECT a FROM t')).toEqual([[1]])
    })

    test('foreign keys hold, and a deferred one is checked by COMMIT', async () => {
      const driver = await openWith(
        `CREATE TABLE p (id INTEGER PRIMARY KEY);
         CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED); BEGIN; INSERT INTO c VALUES (1)`,
      )
      expect(() => driver.exec('COMMIT')).toThrow('FOREIGN KEY constraint failed')
      driver.exec('INSERT INTO p VALUES (1); COMMIT')
      expect(() => driver.exec('DELETE FROM p')).toThrow('FOREIGN KEY constraint failed')
    })
  })
  describeFunctions(name, openWith)
  describeFiles(name, open, openWith)
}

function select(driver: SqliteDriver, sql: string, ...parameters: SqlValue[]): SqlValue[][] {
  return driver.prepare(sql).all(parameters)
}

type OpenWith = (sql: string) => Promise<SqliteDriver>

function describeFunctions(name: string, openWith: OpenWith): void {
  describe(`${name}: functions`, () => {
    test('a TEMP trigger calls a function with the old and the new value', async () => {
      const driver = await openWith('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)')
      const calls: SqlValue[][] = []
      driver.createFunction('seen', 3, (...args) => void calls.push(args))
      driver.exec(`CREATE TEMP TRIGGER u AFTER UPDATE OF a ON t WHEN old.a IS NOT new.a
        BEGIN SELECT seen(old.id, old.a, new.a); END`)
      driver.exec("INSERT INTO t VALUES (1, 'x', 0)")
      const update = driver.prepare('UPDATE t SET a = ? WHERE id = 1')
      for (const value of ['y', null, 2.5, new Uint8Array([1, 2]), new Uint8Array(0), 'a\0b', 'a\0b'])
        update.run([value])
      expect(calls).toEqual([
        [1, 'x', 'y'],
        [1, 'y', null],
        [1, null, 2.5],
        [1, 2.5, new Uint8Array([1, 2])],
        [1, new Uint8Array([1, 2]), new Uint8Array(0)],
        [1, new Uint8Array(0), 'a\0b'],
      ])
    })

    test('REPLACE calls the trigger of the delete that it makes', async () => {
      const driver = await openWith('CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1)')
      const deleted: SqlValue[] = []
      driver.createFunction('gone', 1, (value) => void deleted.push(value ?? null))
      driver.exec('CREATE TEMP TRIGGER d AFTER DELETE ON t BEGIN SELECT gone(old.a); END; REPLACE INTO t VALUES (1, 2)')
      expect(deleted).toEqual([1])
    })

    test('a function returns every type of value, and undefined as NULL', async () => {
      const driver = await openWith('')
      let result: SqlValue | undefined
      driver.createFunction('give', 0, () => result)
      const call = driver.prepare('SELECT give()')
      const long = 'x'.repeat(100_000)
      for (const value of [1, 0.5, -1e300, '', 'a\0𝄞', long, new Uint8Array([9]), new Uint8Array(0), null, 7n]) {
        result = value
        expect(call.get()).toEqual([typeof value === 'bigint' ? Number(value) : value])
      }
      result = undefined
      expect(call.get()).toEqual([null])
    })

    test('a function has a fixed number of arguments', async () => {
      const driver = await openWith('')
      driver.createFunction('two', 2, (...args) => args.length)
      expect(driver.prepare('SELECT two(1, 2)').get()).toEqual([2])
      expect(() => driver.prepare('SELECT two(1)')).toThrow('wrong number of arguments to function two()')
    })

    test('a function that a trigger calls can read and write', async () => {
      const driver = await openWith('CREATE TABLE t (a); CREATE TABLE log (a); INSERT INTO t VALUES (1)')
      const read = driver.prepare('SELECT a FROM t')
      const write = driver.prepare('INSERT INTO log VALUES (?)')
      driver.createFunction('copy', 0, () => {
        write.run(read.get())
        return 0
      })
      driver.exec('CREATE TEMP TRIGGER u AFTER UPDATE ON t BEGIN SELECT copy(); END')
      driver.prepare('UPDATE t SET a = ?').run([5])
      expect(driver.prepare('SELECT a FROM log').all()).toEqual([[5]])
    })

    test('what a function throws is thrown by its statement, which is undone and can be used again', async () => {
      const driver = await openWith('CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)')
      const mine = new TypeError('not today')
      let refuses = true
      driver.createFunction('check_it', 1, (value) => {
        if (refuses && value === 2) throw mine
        return value
      })
      const update = driver.prepare('UPDATE t SET a = check_it(a) + 10')
      driver.exec('BEGIN')
      expect(caught(() => update.run())).toBe(mine)
      expect(driver.prepare('SELECT a FROM t').all()).toEqual([[1], [2]])
      refuses = false
      update.run()
      driver.exec('COMMIT')
      expect(driver.prepare('SELECT a FROM t').all()).toEqual([[11], [12]])
    })

    test('an error that a function catches does not come up again', async () => {
      const driver = await openWith('CREATE TABLE t (a UNIQUE)')
      driver.createFunction('bad', 0, () => {
        throw new Error('inner')
      })
      const inner = driver.prepare('SELECT bad()')
      driver.createFunction('tolerant', 0, () => {
        expect(() => inner.get()).toThrow('inner')
        return 1
      })
      const insert = driver.prepare('INSERT INTO t VALUES (tolerant())')
      insert.run()
      expect(() => insert.run()).toThrow('UNIQUE constraint failed: t.a')
    })
  })

  describe(`${name}: views`, () => {
    const view = `
      CREATE TABLE base (id INTEGER PRIMARY KEY, a, b);
      CREATE VIEW v AS SELECT id, coalesce(a, 7) AS a, coalesce(b, 8) AS b FROM base;
      CREATE TEMP TRIGGER v_insert INSTEAD OF INSERT ON v BEGIN
        INSERT INTO base VALUES (new.id, nullif(new.a, 7), nullif(new.b, 8)); END;
      CREATE TEMP TRIGGER v_update_a INSTEAD OF UPDATE OF a ON v BEGIN
        UPDATE base SET a = nullif(new.a, 7) WHERE id = old.id; END;
      CREATE TEMP TRIGGER v_delete INSTEAD OF DELETE ON v BEGIN DELETE FROM base WHERE id = old.id; END;`

    test.each([
      [
        'INSERT INTO v VALUES (3, 7, 1)',
        [
          [1, 1, 8],
          [2, 7, 8],
          [3, 7, 1],
        ],
      ],
      [
        'UPDATE v SET a = 7 WHERE id = 1',
        [
          [1, 7, 8],
          [2, 7, 8],
        ],
      ],
      ['DELETE FROM v WHERE a = 7', [[1, 1, 8]]],
      [
        'REPLACE INTO v VALUES (1, 5, 6)',
        [
          [1, 5, 6],
          [2, 7, 8],
        ],
      ],
      [
        'UPDATE v SET a = s.x FROM (SELECT 2 AS k, 9 AS x) s WHERE v.id = s.k',
        [
          [1, 1, 8],
          [2, 9, 8],
        ],
      ],
    ])('INSTEAD OF triggers carry out %s', async (sql, expected) => {
      const driver = await openWith(view)
      driver.exec(`INSERT INTO base VALUES (1, 1, NULL), (2, NULL, NULL); ${sql}`)
      expect(driver.prepare('SELECT * FROM v ORDER BY id').all()).toEqual(expected)
    })
  })
}

function describeFiles(name: string, open: (bytes?: Uint8Array) => Promise<SqliteDriver>, openWith: OpenWith): void {
  const sample = `CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT) STRICT;
    INSERT INTO city VALUES (1, 'Ur'), (2, 'Uruk'); CREATE INDEX by_name ON city (name)`
  const cities = [
    [1, 'Ur'],
    [2, 'Uruk'],
  ]

  describe(`${name}: files`, () => {
    test('a serialized database opens again with the same contents', async () => {
      const driver = await openWith(sample)
      const bytes = driver.serialize()
      for (const again of [await open(bytes), driver.openMemory(bytes)]) {
        expect(again.prepare('SELECT * FROM city').all()).toEqual(cities)
        expect(again.prepare('PRAGMA integrity_check').get()).toEqual(['ok'])
        again.exec("INSERT INTO city VALUES (3, 'Eridu')")
        again.close()
      }
      expect(driver.prepare('SELECT * FROM city').all()).toEqual(cities)
    })

    test('serializing keeps statements, functions and TEMP triggers', async () => {
      const driver = await openWith(sample)
      const seen: SqlValue[] = []
      driver.createFunction('seen', 1, (value) => void seen.push(value ?? null))
      driver.exec('CREATE TEMP TRIGGER u AFTER UPDATE ON city BEGIN SELECT seen(new.name); END')
      const rename = driver.prepare('UPDATE city SET name = ? WHERE id = 1')
      const bytes = driver.serialize()
      rename.run(['Ur III'])
      expect(seen).toEqual(['Ur III'])
      expect((await open(bytes)).prepare('SELECT name FROM sqlite_schema WHERE type = ?').all(['trigger'])).toEqual([])
    })

    test('an empty database can be serialized and opened', async () => {
      const driver = await open((await open()).serialize())
      expect(driver.prepare('SELECT * FROM sqlite_schema').all()).toEqual([])
    })

    test('an open transaction keeps a database from being serialized', async () => {
      const driver = await openWith(`${sample}; BEGIN; DELETE FROM city`)
      expect(() => driver.serialize()).toThrow(SqlError)
      driver.exec('ROLLBACK')
      expect(driver.prepare('SELECT * FROM city').all()).toEqual(cities)
    })

    test('a file in WAL mode opens and attaches', async () => {
      const bytes = (await openWith(sample)).serialize().slice()
      bytes[18] = 2
      bytes[19] = 2
      const driver = await open(bytes)
      driver.attach('other', bytes)
      expect(driver.prepare('SELECT * FROM city UNION ALL SELECT * FROM other.city').all()).toEqual([
        ...cities,
        ...cities,
      ])
    })

    test('bytes that lie within a larger buffer open', async () => {
      const bytes = (await openWith(sample)).serialize()
      const larger = new Uint8Array(bytes.length + 20)
      larger.set(bytes, 7)
      const driver = await open(larger.subarray(7, 7 + bytes.length))
      expect(driver.prepare('SELECT * FROM city').all()).toEqual(cities)
    })

    test('an attached database is joined and refuses every write', async () => {
      const bytes = (await openWith(sample)).serialize()
      const driver = await openWith("CREATE TABLE note (city, text); INSERT INTO note VALUES (2, 'walls')")
      driver.attach('base "map"', bytes)
      const map = '"base ""map"""'
      expect(driver.prepare(`SELECT name, text FROM note JOIN ${map}.city ON id = city`).all()).toEqual([
        ['Uruk', 'walls'],
      ])
      for (const sql of [`DELETE FROM ${map}.city`, `CREATE TABLE ${map}.x (a)`, `DROP INDEX ${map}.by_name`]) {
        expect(() => driver.exec(sql)).toThrow('attempt to write a readonly database')
      }
      driver.exec('DELETE FROM note')
      expect(driver.serialize().length).toBeGreaterThan(0)
    })

    test('a name can be attached once', async () => {
      const bytes = (await openWith(sample)).serialize()
      const driver = await open()
      driver.attach('other', bytes)
      expect(() => driver.attach('other', bytes)).toThrow(SqlError)
      expect(driver.prepare('SELECT * FROM other.city').all()).toEqual(cities)
    })

    test.each([
      ['nothing', () => new Uint8Array(0), /empty \(0 bytes\)/],
      ['text', () => new TextEncoder().encode('<!doctype html><title>404</title>'), /not a SQLite database/],
      ['a few bytes', () => new Uint8Array([83, 81]), /truncated/],
      ['half a file', (whole: Uint8Array) => whole.slice(0, whole.length / 2), /truncated: \d+ of \d+ bytes/],
      ['a spoilt schema', (whole: Uint8Array) => whole.slice().fill(255, 100, 4000), /damaged/],
    ])('%s is refused as a database, with what to do', async (_, spoil, message) => {
      const bytes = spoil((await openWith(sample)).serialize())
      const opening = open(bytes)
      await expect(opening).rejects.toThrow(SqlError)
      await expect(opening).rejects.toThrow(message)
      const driver = await open()
      expect(() => driver.attach('other', bytes)).toThrow(message)
      expect(
        driver
          .prepare('PRAGMA database_list')
          .all()
          .map((row) => row[1]),
      ).not.toContain('other')
    })

    test('a closed database refuses everything but to be closed', async () => {
      const driver = await openWith(sample)
      const bytes = driver.serialize()
      const statement = driver.prepare('SELECT * FROM city')
      const begun = statement.iterate()
      begun.next()
      driver.attach('other', bytes)
      driver.close()
      driver.close()
      for (const use of [
        () => driver.exec('SELECT 1'),
        () => driver.prepare('SELECT 1'),
        () => driver.createFunction('f', 0, () => 1),
        () => driver.serialize(),
        () => driver.attach('another', bytes),
        () => statement.get(),
        () => statement.run(),
        () => statement.all(),
        () => begun.next(),
      ]) {
        expect(use).toThrow(StoreClosedError)
      }
      statement.finalize()
    })
  })
}

function caught(work: () => void): unknown {
  try {
    work()
  } catch (thrown) {
    return thrown
  }
  throw new Error('nothing was thrown')
}
