import fc from 'fast-check'
import { createStore, defineSchema, FilterError, sql, ValidationError, type ChangeSet, type Store } from 'rowcast'
import { expect, test } from 'vitest'
import { HIDDEN, parseValue, serializeValue } from '../../src/changes/index.ts'
import { internals, PendingLayer, PendingLayers, type Arrival } from '../../src/store/index.ts'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    person: {
      primaryKey: 'id',
      indexes: [['salary']],
      restricted: ['salary', 'grade', 'text.note', 'photo', 'tags', 'active', 'contact.mail', 'nick'],
      schema: {
        type: 'object',
        required: ['id', 'grade'],
        properties: {
          id: { type: 'string' },
          name: { type: 'string', default: '' },
          salary: { type: ['number', 'null'], default: 1000 },
          grade: { type: 'integer' },
          active: { type: 'boolean', default: true },
          nick: { type: ['string', 'null'] },
          text: {
            type: 'object',
            properties: { note: { type: 'string', default: 'nothing' }, size: { type: 'number', default: 12 } },
          },
          contact: {
            type: 'object',
            required: ['mail'],
            properties: { mail: { type: 'string' }, phone: { type: 'string' } },
          },
          photo: { type: ['string', 'null'], contentEncoding: 'base64' },
          tags: { type: 'array', items: { type: 'string' }, default: ['new'] },
        },
      },
    },
  },
})

type People = Store<typeof schema.definition>

const withheld = {
  salary: HIDDEN,
  grade: HIDDEN,
  'text.note': HIDDEN,
  photo: HIDDEN,
  tags: HIDDEN,
  active: HIDDEN,
  nick: HIDDEN,
}
const put = (after: Arrival['after'], key = 'a'): Arrival => ({
  table: 'person',
  key,
  op: 'put',
  after: { id: key, ...after },
})

describeEachDriver('restricted columns', (driver) => {
  async function open(...rows: Arrival[]): Promise<{ store: People; base: PendingLayers; sets: ChangeSet[] }> {
    const store = await createStore({ schema, driver: driver() })
    const base = new PendingLayers(internals(store as never).engine)
    base.arrive(rows)
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    return { store, base, sets }
  }

  test('a hidden property is absent from the row, NULL in SQL, and equal to nothing in a filter', async () => {
    const { store } = await open(put({ name: 'Ann', ...withheld }), put({ name: 'Bo', grade: 2 }, 'b'))
    const people = store.table('person')
    expect(people.get('a')).toEqual({ id: 'a', name: 'Ann', text: { size: 12 } })
    expect(Object.keys(people.get('a')!).toSorted()).toEqual(['id', 'name', 'text'])
    expect(people.get('b')).toMatchObject({ salary: 1000, active: true, tags: ['new'], text: { note: 'nothing' } })
    expect(
      store.query(sql`select salary, grade, active, nick, text_note, photo, tags from person where id = 'a'`),
    ).toEqual([{ salary: null, grade: null, active: null, nick: null, text_note: null, photo: null, tags: null }])
    for (const where of [
      { salary: 1000 },
      { salary: { gte: 0 } },
      { salary: null },
      { salary: { ne: 5 } },
      { active: true },
      { not: { active: true } },
      { grade: { in: [1, 2, null] } },
      { 'text.note': { startsWith: '' } },
      { 'tags.0': 'new' },
      { photo: null },
      { nick: null },
    ] as object[]) {
      const { test: passes } = people.predicate(where as never)
      expect(
        people.find({ where: where as never }).map(({ id }) => id),
        JSON.stringify(where),
      ).toEqual(
        people
          .all()
          .filter((row) => passes(row))
          .map(({ id }) => id),
      )
    }
    expect(people.find({ orderBy: 'salary' }).map(({ id }) => id)).toEqual(['a', 'b'])
    await store.close()
  })

  test('what becomes hidden or is shown again is a change whose hidden side is undefined', async () => {
    const { store, base, sets } = await open(put({ grade: 1, salary: 5 }))
    const people = store.table('person')
    const salaries: unknown[] = []
    const above: unknown[] = []
    people.field$('a', 'salary').subscribe((value) => salaries.push(value))
    people.live({ where: { salary: { gt: 1 } } }).rows$.subscribe((rows) => above.push(rows.length))
    const update = (after: Arrival['after']): void => base.arrive([{ table: 'person', key: 'a', op: 'update', after }])
    update({ salary: HIDDEN })
    update({ salary: HIDDEN })
    update({ salary: undefined })
    update({ salary: HIDDEN })
    update({ salary: 7 })
    expect(sets.map(({ changes }) => [changes[0]!.before, changes[0]!.after])).toEqual([
      [{ salary: 5 }, { salary: undefined }],
      [{ salary: undefined }, { salary: 1000 }],
      [{ salary: 1000 }, { salary: undefined }],
      [{ salary: undefined }, { salary: 7 }],
    ])
    expect(salaries).toEqual([5, undefined, 1000, undefined, 7])
    expect(above).toEqual([1, 0, 1, 0, 1])
    await store.close()
  })

  test('whoever writes elsewhere in the row leaves what is hidden hidden, and sends nothing of it', async () => {
    const { store, sets } = await open(put({ name: 'Ann', contact: {}, 'contact.mail': HIDDEN, ...withheld }))
    const people = store.table('person')
    people.set('a', 'name', 'Bea')
    people.update('a', { name: 'Cia', text: { size: 3 } })
    people.update('a', (row) => {
      ;(row as { name: string }).name = 'Dot'
    })
    people.upsert({ id: 'a', name: 'Eve', contact: { phone: '1' } } as never)
    people.set('a', 'text', { size: 4 })
    store.exec(sql`update person set name = 'Fay', salary = salary, tags = tags`)
    store.exec(sql`insert or replace into person (id, name, contact_phone) values ('a', 'Gil', '2')`)
    people.reset('a')
    expect(people.get('a')).toEqual({ id: 'a', name: '', text: { size: 12 } })
    const named = new Set(sets.flatMap(({ changes }) => changes.flatMap(({ after }) => Object.keys(after))))
    expect([...named].toSorted()).toEqual(['contact', 'contact.mail', 'contact.phone', 'name', 'text.size'])
    await store.close()
  })

  test('a hidden property that is set, or reset by its name, is written like any other', async () => {
    const { store, sets } = await open(put(withheld))
    const people = store.table('person')
    people.set('a', 'grade', 3)
    people.set('a', 'salary', 1000)
    people.reset('a', 'active')
    people.update('a', { text: { note: undefined }, nick: null, tags: ['x'] })
    expect(people.get('a')).toEqual({
      id: 'a',
      name: '',
      salary: 1000,
      grade: 3,
      active: true,
      nick: null,
      tags: ['x'],
      text: { note: 'nothing', size: 12 },
    })
    expect(sets.map(({ changes }) => changes[0]!.before)).toEqual([
      { grade: undefined },
      { salary: undefined },
      { active: undefined },
      { 'text.note': undefined, nick: undefined, tags: undefined },
    ])
    expect(() => people.reset('a', 'grade')).toThrow(ValidationError)
    await store.close()
  })

  test('undo, a cancelled draft and a refused transaction hide again what they have put in place', async () => {
    const { store, base } = await open(put(withheld))
    const people = store.table('person')
    const row = people.get('a')
    people.set('a', 'salary', 9)
    store.history.undo()
    expect(people.get('a')).toEqual(row)
    store.history.redo()
    expect(people.get('a')).toMatchObject({ salary: 9 })
    store.history.undo()
    store.transaction(() => {
      people.set('a', 'salary', 4)
      people.delete('a')
    })
    store.history.undo()
    expect(people.get('a')).toEqual(row)
    const draft = store.draft()
    draft.table('person').set('a', 'tags', ['mine'])
    draft.cancel()
    expect(people.get('a')).toEqual(row)
    for (const write of [() => people.set('a', 'salary', 3), () => people.delete('a')]) {
      const pending = new PendingLayer('t', undefined)
      const told = store.commits$.subscribe(({ changes }) => base.add(pending, changes))
      write()
      told.unsubscribe()
      base.remove(pending)
      expect(people.get('a')).toEqual(row)
    }
    await store.close()
  })

  test('a deleted row tells nothing of what was hidden in it', async () => {
    const { store, sets } = await open(put(withheld))
    store.table('person').delete('a')
    expect(sets[0]!.changes[0]!.before).toEqual({ id: 'a' })
    await store.close()
  })

  test('nobody but an arrival can hide a value, and no value is taken for a hidden one', async () => {
    const { store } = await open(put({ grade: 1 }))
    const people = store.table('person')
    for (const path of ['salary', 'tags', 'photo', 'grade', 'text.note', 'nick'] as const)
      expect(() => people.set('a', path, HIDDEN as never), path).toThrow(ValidationError)
    expect(() => people.insert({ id: 'b', grade: HIDDEN } as never)).toThrow(ValidationError)
    expect(() => people.update('a', { tags: HIDDEN } as never)).toThrow(ValidationError)
    for (const column of ['salary', 'grade', 'active', 'nick', 'text_note'])
      expect(() => store.exec({ sql: `update person set ${column} = x'00'` }), column).toThrow(ValidationError)
    expect(() => store.exec(sql`update person set tags = 'hidden'`)).toThrow(ValidationError)
    expect(() => store.exec(sql`update person set photo = 'hidden'`)).toThrow(ValidationError)
    people.set('a', 'photo', new Uint8Array([0]))
    people.set('a', 'nick', 'hidden')
    expect(people.get('a')).toMatchObject({ photo: new Uint8Array([0]), nick: 'hidden' })
    await store.close()
  })

  test('a file keeps what is hidden hidden, also below a pending transaction', async () => {
    const { store, base } = await open(put({ name: 'Ann', ...withheld }), put({ grade: 1, salary: 7 }, 'b'))
    const expected = store.table('person').all()
    const told = store.commits$.subscribe(({ changes }) => base.add(new PendingLayer('t', undefined), changes))
    store.table('person').update('a', { salary: 3, tags: [] })
    told.unsubscribe()
    const file = internals(store as never).exportFile(base)
    const again = await createStore({ schema, driver: driver() })
    again.import(file)
    expect(again.table('person').all()).toEqual(expected)
    again.import(store.export())
    expect(again.table('person').all()).toEqual(store.table('person').all())
    await again.close()
    await store.close()
  })
})

const crossed = defineSchema({
  version: 1,
  tables: {
    job: {
      primaryKey: 'id',
      restricted: ['pay', 'place.street'],
      schema: {
        type: 'object',
        required: ['id', 'title', 'pay'],
        minProperties: 3,
        dependentRequired: { title: ['pay'] },
        if: { properties: { pay: { maximum: 10 } } },
        then: { required: ['excuse'] },
        anyOf: [{ required: ['pay'] }, { properties: { title: { const: 'chief' } } }],
        additionalProperties: false,
        properties: {
          id: { type: 'string' },
          title: { type: 'string', maxLength: 5 },
          pay: { type: 'number' },
          excuse: { type: 'string' },
          place: {
            type: 'object',
            required: ['street', 'city'],
            properties: { street: { type: 'string' }, city: { type: 'string', minLength: 2 } },
          },
        },
      },
    },
  },
})

test('a row is not invalid for what is hidden in it, and is for whatever else is wrong', async () => {
  const store = await createStore({ schema: crossed })
  const base = new PendingLayers(internals(store as never).engine)
  const after = { id: 'a', title: 'cook', pay: HIDDEN, place: {}, 'place.street': HIDDEN, 'place.city': 'Ulm' }
  base.arrive([{ table: 'job', key: 'a', op: 'put', after }])
  const jobs = store.table('job')
  const row = { id: 'a', title: 'cook', place: { city: 'Ulm' } }
  expect(jobs.get('a')).toEqual(row)
  jobs.set('a', 'title', 'baker')
  jobs.update('a', { place: { city: 'Bonn' } })
  store.exec(sql`update job set title = 'smith'`)
  const issues = (write: () => unknown): unknown => {
    try {
      write()
    } catch (error) {
      if (error instanceof ValidationError)
        return [...new Set(error.issues.map(({ path, keyword }) => `${path} ${keyword}`))]
      throw error
    }
    return []
  }
  expect(issues(() => jobs.set('a', 'title', 'gardener'))).toEqual(['title maxLength'])
  expect(issues(() => jobs.update('a', { place: { city: 'X' } }))).toEqual(['place.city minLength'])
  expect(issues(() => jobs.update('a', { place: { city: undefined } } as never))).toEqual(['place.city required'])
  expect(issues(() => jobs.update('a', { title: undefined } as never))).toEqual(['title required'])
  expect(issues(() => jobs.update('a', { other: 1 } as never))).toEqual(['other additionalProperties'])
  expect(issues(() => store.exec(sql`update job set title = 'gardener'`))).toEqual(['title maxLength'])
  expect(issues(() => jobs.set('a', 'place.street', 'Main'))).toEqual([])
  expect(issues(() => jobs.set('a', 'pay', 5))).toContain('excuse required')
  expect(issues(() => jobs.insert({ id: 'b', title: 'cook' } as never))).toContain('pay required')
  expect(jobs.get('a')).toEqual({ id: 'a', title: 'smith', place: { street: 'Main', city: 'Bonn' } })
  await store.close()
})

test('a choice between definitions says nothing of a row in which a part of it is hidden', async () => {
  const choosy = defineSchema({
    version: 1,
    tables: {
      t: {
        primaryKey: 'id',
        restricted: ['a'],
        schema: {
          type: 'object',
          required: ['id', 'b'],
          $defs: {
            word: { type: 'string' },
            full: { type: 'object', required: ['a', 'c'], properties: { c: { $ref: '#/$defs/word' } } },
            short: { type: 'object', required: ['d'], properties: { d: { $ref: '#/$defs/word' } } },
          },
          oneOf: [{ $ref: '#/$defs/full' }, { $ref: '#/$defs/short' }],
          properties: {
            id: { type: 'string' },
            a: { type: 'integer' },
            b: { $ref: '#/$defs/word' },
            c: { type: 'string' },
            d: { type: 'string' },
          },
        },
      },
    },
  })
  const store = await createStore({ schema: choosy })
  const base = new PendingLayers(internals(store as never).engine)
  base.arrive([{ table: 't', key: 'x', op: 'put', after: { id: 'x', a: HIDDEN, b: 'b' } }])
  const rows = store.table('t')
  rows.set('x', 'b', 'other')
  expect(rows.get('x')).toEqual({ id: 'x', b: 'other' })
  expect(() => rows.reset('x', 'b')).toThrow(ValidationError)
  expect(() => rows.set('x', 'b', 5 as never)).toThrow(ValidationError)
  expect(() => rows.insert({ id: 'y', b: 'b' } as never)).toThrow(ValidationError)
  await store.close()
})

test('what is hidden stays hidden in a singleton, and in a row of a key of several parts', async () => {
  const properties = { a: { type: 'string' }, b: { type: 'integer', default: 4 }, c: { type: 'string' } } as const
  const both = defineSchema({
    version: 1,
    tables: {
      one: { singleton: true, restricted: ['b'], schema: { type: 'object', properties } },
      many: { primaryKey: ['c', 'a'], restricted: ['b'], schema: { type: 'object', required: ['a', 'c'], properties } },
    },
  })
  const store = await createStore({ schema: both })
  const base = new PendingLayers(internals(store as never).engine)
  base.arrive([
    { table: 'one', key: 1, op: 'put', after: { a: 'x', b: HIDDEN } },
    { table: 'many', key: ['k', 'l'], op: 'put', after: { c: 'k', a: 'l', b: HIDDEN } },
  ])
  store.exec(sql`insert or replace into one (a, c) values ('y', 'z')`)
  store.exec(sql`insert or replace into many (a, c) values ('l', 'k'), ('l', 'm')`)
  expect(() => store.exec(sql`update many set c = 'n' where c = 'k'`)).toThrow(/taken along to another key/)
  expect(store.value('one').get()).toEqual({ a: 'y', c: 'z' })
  expect(store.table('many').all()).toEqual([
    { c: 'k', a: 'l' },
    { c: 'm', a: 'l', b: 4 },
  ])
  store.exec(sql`insert or replace into many (a, b, c) values ('l', 4, 'k')`)
  expect(store.table('many').get(['k', 'l'])).toEqual({ c: 'k', a: 'l', b: 4 })
  await store.close()
})

const FILTERED = ['salary', 'grade', 'active', 'nick', 'text.note', 'tags.0', 'contact.mail'] as const

test('a filter passes the same rows in SQL and in JavaScript, whatever is hidden in them', async () => {
  const store = await createStore({ schema })
  const base = new PendingLayers(internals(store as never).engine)
  const people = store.table('person')
  const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | typeof HIDDEN> =>
    fc.oneof({ weight: 2, arbitrary: value }, { weight: 1, arbitrary: fc.constant(HIDDEN) })
  const row = fc.record(
    {
      grade: maybe(fc.constantFrom(0, 1, 2)),
      salary: maybe(fc.constantFrom(0, 1000, 1.5, null)),
      active: maybe(fc.boolean()),
      nick: maybe(fc.constantFrom('', 'hidden', 'x', null)),
      'text.note': maybe(fc.constantFrom('nothing', 'hidden', '')),
      tags: maybe(fc.constantFrom<string[][]>([], ['new'], ['hidden'])),
      'contact.mail': maybe(fc.constantFrom('a@b', 'hidden')),
    },
    { requiredKeys: ['grade', 'contact.mail'] },
  )
  const value = fc.constantFrom(0, 1, 1000, true, false, 'hidden', 'nothing', 'new', '', 'x')
  const where = fc.record({
    path: fc.constantFrom(...FILTERED),
    operator: fc.constantFrom('eq', 'ne', 'gt', 'lte', 'isNull', 'in'),
    value,
    not: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), fc.array(where, { minLength: 1, maxLength: 4 }), (rows, filters) => {
      base.arrive(people.keys().map((key) => ({ table: 'person', key, op: 'delete' as const })))
      base.arrive(rows.map((cells, n) => put({ contact: {}, ...cells }, `r${n}`)))
      for (const { path, operator, value: operand, not } of filters) {
        const given = operator === 'isNull' ? true : operator === 'in' ? [operand] : operand
        const one = { [path]: { [operator]: given } }
        const filter = (not ? { not: one } : one) as never
        let passes: (row: never) => boolean
        try {
          passes = people.predicate(filter).test as never
        } catch (error) {
          if (!(error instanceof FilterError)) throw error
          continue
        }
        const inSql = people.find({ where: filter }).map(({ id }) => id)
        expect(inSql).toEqual(
          people
            .all()
            .filter((each) => passes(each as never))
            .map(({ id }) => id),
        )
        expect(people.count(filter)).toBe(inSql.length)
      }
    }),
    { numRuns: 200 },
  )
  await store.close()
})

test('what is hidden has a form on the wire', () => {
  expect(serializeValue({ a: HIDDEN })).toBe('{"a":{"$hidden":true}}')
  expect((parseValue('{"a":{"$hidden":true}}') as { a: unknown }).a).toBe(HIDDEN)
})
