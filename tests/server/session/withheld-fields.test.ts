import { createStore, defineSchema, RejectedError, SchemaError, sql } from 'rowcast'
import { memoryLogStorage, memorySnapshotStorage, ServerCore, type Permissions, type User } from 'rowcast/server'
import { memoryTransport, type ServerConnection } from 'rowcast/transport'
import { filter, firstValueFrom, type Observable } from 'rxjs'
import { expect, test } from 'vitest'
import { settled } from '../../support/sync-world.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    person: {
      primaryKey: 'id',
      restricted: ['salary', 'contact.mail'],
      schema: {
        type: 'object',
        required: ['id', 'salary'],
        additionalProperties: false,
        properties: {
          id: { type: 'string' },
          name: { type: 'string', default: '' },
          team: { type: 'string', default: 'a' },
          salary: { type: 'integer', default: 1000, minimum: 1 },
          contact: {
            type: 'object',
            required: ['mail'],
            additionalProperties: false,
            properties: { mail: { type: 'string' }, phone: { type: 'string' } },
          },
        },
      },
    },
  },
})

const rules: Permissions = {
  person: {
    canView: true,
    canCreate: true,
    canUpdate: true,
    canDelete: true,
    fields: {
      salary: { canView: { team: '$user.team' } },
      'contact.mail': {
        canView: ({ user, row }) => user?.['team'] === (row as { team: string }).team,
        canUpdate: true,
      },
    },
  },
}

function serve(permissions: Permissions = rules): ServerCore {
  return new ServerCore({
    schema,
    storage: { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() },
    authenticate: ({ token }): User => ({ id: token ?? '', team: token ?? '' }),
    permissions,
    onError: (error) => {
      throw error
    },
  })
}

/** A store of one team, and every text that it was sent. */
async function open(core: ServerCore, team: string, subscribe?: readonly { table: 'person'; where?: never }[]) {
  const heard: string[] = []
  const accept: ServerCore['accept'] = (connection, request) => {
    const listening: ServerConnection = {
      send: (text) => {
        heard.push(text)
        connection.send(text)
      },
      close: (code, reason) => connection.close(code, reason),
      get buffered() {
        return connection.buffered
      },
    }
    return core.accept(listening, request)
  }
  const store = await createStore({
    schema,
    sync: { transport: memoryTransport(accept, { token: team }), database: 'staff', ...(subscribe && { subscribe }) },
  })
  await settled(store)
  return { store, people: store.table('person'), heard: () => heard.join('\n') }
}

async function world(permissions?: Permissions) {
  const core = serve(permissions)
  await core.databases.create('staff')
  const a = await open(core, 'a')
  a.people.insert([
    { id: 'ann', team: 'a', salary: 7777, contact: { mail: 'ann@secret' } },
    { id: 'bob', team: 'b' },
  ])
  await settled(a.store)
  return { core, a }
}

type Row = Record<string, unknown> | undefined

/** Waits until a row is as it should be. */
async function until(row$: Observable<unknown>, holds: (row: Row) => boolean): Promise<void> {
  await firstValueFrom(row$.pipe(filter((row) => holds(row as Row))))
}

test('a field that may not be seen is undefined on the client, never its default, and travels in no message', async () => {
  const { core, a } = await world()
  const b = await open(core, 'b')
  expect(a.people.get('ann')).toMatchObject({ salary: 7777, contact: { mail: 'ann@secret' } })
  expect(b.people.get('ann')).toEqual({ id: 'ann', name: '', team: 'a', contact: {} })
  expect(b.people.get('bob')).toMatchObject({ salary: 1000 })
  expect(b.store.query(sql`select id, salary, contact_mail from person order by id`)).toEqual([
    { id: 'ann', salary: null, contact_mail: null },
    { id: 'bob', salary: 1000, contact_mail: null },
  ])
  expect(b.people.count({ salary: { gt: 0 } })).toBe(1)

  a.people.update('ann', { salary: 8888, name: 'Ann' })
  await until(b.people.row$('ann'), (row) => row?.['name'] === 'Ann')
  expect(b.people.get('ann')).toEqual({ id: 'ann', name: 'Ann', team: 'a', contact: {} })
  a.people.set('ann', 'salary', 9999)
  a.people.set('ann', 'name', 'Anna')
  await until(b.people.row$('ann'), (row) => row?.['name'] === 'Anna')
  for (const secret of ['7777', '8888', '9999', 'ann@secret']) expect(b.heard()).not.toContain(secret)
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('a row with withheld fields can be changed otherwise, and they stay as they are for those who see them', async () => {
  const { core, a } = await world()
  const b = await open(core, 'b')
  b.people.set('ann', 'name', 'Annie')
  b.people.upsert({ id: 'ann', team: 'a', name: 'Ann B.', contact: { mail: 'x' } } as never)
  b.people.update('ann', { contact: { phone: '1' } })
  await settled(b.store)
  expect(await firstValueFrom(b.store.sync.rejected$)).toEqual([])
  await until(a.people.row$('ann'), (row) => (row?.['contact'] as { phone?: string } | undefined)?.phone === '1')
  expect(a.people.get('ann')).toMatchObject({ salary: 7777, name: 'Ann B.', contact: { mail: 'x', phone: '1' } })
  // Written blindly, as the field's own rule allows, and out of sight again.
  expect(b.people.get('ann')).toEqual({ id: 'ann', name: 'Ann B.', team: 'a', contact: { phone: '1' } })
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('a field that may not be seen may not be changed, unless it has a rule that says so', async () => {
  const { core, a } = await world()
  const b = await open(core, 'b')
  const refused = b.store.draft()
  refused.table('person').set('ann', 'salary', 5)
  await expect(refused.commit().confirmed).rejects.toBeInstanceOf(RejectedError)
  expect(b.people.get('ann')).not.toHaveProperty('salary')
  expect(a.people.get('ann')).toMatchObject({ salary: 7777 })
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('a field comes into sight with the row that allows it, and goes out of it again', async () => {
  const { core, a } = await world()
  const b = await open(core, 'b')
  a.people.set('ann', 'team', 'b')
  await until(b.people.row$('ann'), (row) => row?.['team'] === 'b')
  expect(b.people.get('ann')).toMatchObject({ salary: 7777, contact: { mail: 'ann@secret' } })
  await until(a.people.row$('ann'), (row) => row?.['salary'] === undefined)
  expect(a.people.get('ann')).toEqual({ id: 'ann', name: '', team: 'b', contact: {} })
  b.people.set('ann', 'team', 'a')
  await until(a.people.row$('ann'), (row) => row?.['team'] === 'a' && row['salary'] === 7777)
  await until(b.people.row$('ann'), (row) => row?.['salary'] === undefined)
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('a subscription by a withheld field tells nothing of it', async () => {
  const { core, a } = await world()
  const rich = [{ table: 'person', where: { salary: { gte: 2000 } } }] as never
  const b = await open(core, 'b', rich)
  expect(b.people.all()).toEqual([])
  const own = await open(core, 'a', rich)
  expect(own.people.keys()).toEqual(['ann'])
  a.people.set('ann', 'salary', 3000)
  a.people.update('bob', { team: 'b', salary: 2500 })
  await settled(a.store)
  expect(b.people.has('ann')).toBe(false)
  await Promise.all([a.store.close(), b.store.close(), own.store.close()])
  await core.close()
})

test('what changed in withheld fields alone is no conflict to those who do not see them', async () => {
  const { core, a } = await world()
  const b = await open(core, 'b')
  const draft = b.store.draft()
  draft.table('person').set('ann', 'name', 'Draft')
  a.people.set('ann', 'salary', 4000)
  await settled(a.store)
  await draft.commit({ ifUnchanged: true }).confirmed
  await b.store.transaction(() => b.people.set('ann', 'name', `${b.people.get('ann')!.name}!`), { confirm: 'server' })
  await until(a.people.row$('ann'), (row) => row?.['name'] === 'Draft!')
  expect(a.people.get('ann')).toMatchObject({ name: 'Draft!', salary: 4000 })
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('what a rule that throws speaks of is withheld', async () => {
  const errors: unknown[] = []
  const core = new ServerCore({
    schema,
    storage: { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() },
    permissions: {
      person: {
        canView: true,
        canCreate: true,
        fields: {
          salary: {
            canCreate: true,
            canView: () => {
              throw new Error('a rule that fails')
            },
          },
        },
      },
    },
    onError: (error) => errors.push(error),
  })
  await core.databases.create('staff')
  const a = await open(core, 'a')
  a.people.insert({ id: 'ann', salary: 7777 })
  await settled(a.store)
  await until(a.people.row$('ann'), (row) => row !== undefined && row['salary'] === undefined)
  expect(errors.length).toBeGreaterThan(0)
  await a.store.close()
  await core.close()
})

test('a rule of who may see a field that the schema does not let be withheld is refused, naming it', () => {
  const withRule = (field: string) => () =>
    serve({ person: { canView: true, fields: { [field]: { canView: false } } } })
  expect(withRule('name')).toThrow(SchemaError)
  expect(withRule('name')).toThrow(/permissions\.person\.fields\.name\.canView.*restricted/)
  expect(withRule('contact')).toThrow(/contact\.phone/)
  expect(withRule('nothing')).toThrow(/no property 'nothing'/)
})

test('where a withheld field stands in a message does not tell whether it is set', async () => {
  const { core, a } = await world()
  a.people.insert([
    { id: 'cyd', team: 'a', salary: 5, contact: { mail: 'm', phone: '1' } },
    { id: 'dan', team: 'a', contact: { mail: '', phone: '1' } },
  ])
  await settled(a.store)
  const b = await open(core, 'b')
  a.people.insert({ id: 'eve', team: 'a', salary: 9, name: 'n' })
  a.people.insert({ id: 'fay', team: 'a', name: 'n' })
  await until(b.people.row$('fay'), (row) => row !== undefined)
  const namesOf = (id: string): string[] =>
    [...b.heard().matchAll(/\{(?:"[^"]*":(?:"[^"]*"|\d+|\{[^{}]*\}),?)+\}/g)]
      .map(([text]) => text)
      .filter((text) => text.includes(`"id":"${id}"`))
      .map((text) => [...text.matchAll(/"([^"$]+)":/g)].map(([, name]) => name).join())
  expect(namesOf('cyd')).toEqual(namesOf('dan'))
  expect(namesOf('eve')).toEqual(namesOf('fay'))
  expect(namesOf('cyd')).not.toEqual([])
  expect(namesOf('eve')).not.toEqual([])
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('an object around a withheld field is refused alike, whether the field is set or not', async () => {
  const rule: Permissions = {
    person: { ...rules['person']!, fields: { 'contact.mail': { canView: { team: '$user.team' } } } },
  }
  const { core, a } = await world(rule)
  a.people.insert({ id: 'dan', team: 'a', contact: { mail: 'x' } })
  a.people.insert({ id: 'eve', team: 'a' })
  await settled(a.store)
  const b = await open(core, 'b')
  for (const id of ['ann', 'dan']) {
    b.people.update(id, { contact: undefined })
    await settled(b.store)
  }
  const rejected = await firstValueFrom(b.store.sync.rejected$)
  expect(rejected.map(({ code }) => code)).toEqual(['forbidden', 'forbidden'])
  expect(a.people.get('ann')).toHaveProperty('contact.mail', 'ann@secret')
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('what was withheld of a deleted row is not undone into its default', async () => {
  const { core, a } = await world()
  const b = await open(core, 'b')
  b.people.delete('ann')
  await settled(b.store)
  expect(b.store.history.undo()).toBeUndefined()
  const [skipped] = await firstValueFrom(b.store.history.skipped$)
  expect(skipped!.reason.message).toMatch(/'(salary|contact\.mail)' is withheld/)
  expect(b.people.has('ann')).toBe(false)
  await until(a.people.row$('ann'), (row) => row === undefined)
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})

test('a rule that is code is asked each time: what it looks at may have changed', async () => {
  let isOpen = true
  const core = serve({ person: { ...rules['person']!, fields: { salary: { canView: () => isOpen } } } })
  await core.databases.create('staff')
  const a = await open(core, 'a')
  a.people.insert({ id: 'ann', salary: 7777 })
  await settled(a.store)
  const none = [{ table: 'person', where: { name: 'nobody' } }] as never
  const b = await open(core, 'b', none)
  isOpen = false
  await b.store.sync.subscribe([{ table: 'person' }]).ready
  expect(b.people.get('ann')).not.toHaveProperty('salary')
  expect(b.heard()).not.toContain('7777')
  await Promise.all([a.store.close(), b.store.close()])
  await core.close()
})
