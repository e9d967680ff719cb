import { describe, expect, test } from 'vitest'
import { ConstraintError, createStore, defineSchema, TransactionError, type SkippedStep } from 'rowcast'
import { internals } from '../../src/store/internals.ts'
import type { ChangeSet, RowChange } from '../../src/changes/index.ts'

const text = { type: 'string' } as const
const schema = defineSchema({
  version: 1,
  tables: {
    project: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: text, name: text }, additionalProperties: false },
    },
    task: {
      primaryKey: 'id',
      unique: [['slug']],
      references: {
        project: { table: 'project', onDelete: 'cascade' },
        helper: { table: 'project', onDelete: 'setNull' },
        guard: { table: 'project', onDelete: 'restrict' },
        parent: { table: 'task', onDelete: 'cascade' },
      },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: text,
          project: text,
          helper: text,
          guard: text,
          parent: text,
          slug: text,
          title: { type: 'string', default: '' },
          from: { type: 'integer' },
          to: { type: 'integer' },
        },
        dependentRequired: { from: ['to'] },
        additionalProperties: false,
      },
    },
  },
})

async function open() {
  const store = await createStore({
    schema,
    data: { project: [{ id: 'P' }, { id: 'Q' }], task: [{ id: 't0', title: 'first' }] },
  })
  const inside = internals(store as never)
  let skipped: readonly SkippedStep[] = []
  let steps: { readonly done: readonly unknown[]; readonly undone: readonly unknown[] } = { done: [], undone: [] }
  store.history.skipped$.subscribe((now) => (skipped = now))
  store.history.steps$.subscribe((now) => (steps = now))
  // A step below, which must be reached.
  store.table('task').set('t0', 'title', 'second')
  return {
    store,
    projects: store.table('project'),
    tasks: store.table('task'),
    /** Another's change, as a server brings it. */
    theirs: (...changes: RowChange[]) => inside.applyRemote({ changes } satisfies Pick<ChangeSet, 'changes'>),
    skipped: () => skipped,
    steps: () => ({ done: steps.done.length, undone: steps.undone.length }),
    /** Undoes a step that can't be, and the one below it. */
    expectSkipped: (reason: RegExp): SkippedStep => {
      const before = JSON.stringify([store.table('project').all(), store.table('task').all()])
      expect(store.history.undo()).toBeUndefined()
      expect(JSON.stringify([store.table('project').all(), store.table('task').all()])).toBe(before)
      expect(skipped).toHaveLength(1)
      expect(skipped[0]!.action).toBe('undo')
      expect(skipped[0]!.reason.message).toMatch(reason)
      expect(steps).toMatchObject({ done: [{}], undone: [] })
      expect(store.history.undo()?.changes.changes[0]).toMatchObject({ key: 't0', before: { title: 'first' } })
      expect(store.table('task').get('t0')?.title).toBe('first')
      return skipped[0]!
    },
  }
}

const put = (table: string, key: string, after: object): RowChange => ({
  table,
  key,
  op: 'insert',
  before: {},
  after: { id: key, ...after },
})
const patch = (table: string, key: string, after: object): RowChange => ({
  table,
  key,
  op: 'update',
  before: {},
  after: after as RowChange['after'],
})
const drop = (table: string, key: string): RowChange => ({ table, key, op: 'delete', before: {}, after: {} })

describe('a step that can’t be undone is set aside, and the next undo is the step below', () => {
  test('a deletion whose parent is gone since', async () => {
    const { store, tasks, theirs, expectSkipped } = await open()
    theirs(put('task', 't1', { project: 'P' }))
    tasks.delete('t1')
    theirs(drop('project', 'P'))
    expectSkipped(/project "P", which does not exist/)
    await store.close()
  })

  test('a deletion whose unique value another has taken', async () => {
    const { store, tasks, theirs, expectSkipped } = await open()
    theirs(put('task', 't1', { slug: 'one' }))
    tasks.delete('t1')
    theirs(put('task', 't9', { slug: 'one' }))
    expect(expectSkipped(/slug/).reason).toBeInstanceOf(ConstraintError)
    expect(tasks.keys()).toEqual(['t0', 't9'])
    await store.close()
  })

  test('a change whose old unique value another has taken', async () => {
    const { store, tasks, theirs, expectSkipped } = await open()
    theirs(put('task', 't1', { slug: 'one' }))
    tasks.set('t1', 'slug', 'two')
    theirs(put('task', 't9', { slug: 'one' }))
    expectSkipped(/slug/)
    await store.close()
  })

  test('a change whose old parent is gone', async () => {
    const { store, tasks, theirs, expectSkipped } = await open()
    theirs(put('task', 't1', { project: 'P' }))
    tasks.set('t1', 'project', 'Q')
    theirs(drop('project', 'P'))
    expectSkipped(/project "P"/)
    await store.close()
  })

  test('a change whose old value does not go with what another has written', async () => {
    const { store, tasks, theirs, expectSkipped } = await open()
    theirs(put('task', 't1', {}))
    tasks.set('t1', 'to', 5)
    theirs(patch('task', 't1', { from: 3 }))
    expectSkipped(/to/)
    await store.close()
  })

  test('one of which others have changed everything', async () => {
    const { store, tasks, theirs, expectSkipped } = await open()
    theirs(put('task', 't1', {}))
    tasks.set('t1', 'title', 'mine')
    theirs(patch('task', 't1', { title: 'theirs' }))
    expect(expectSkipped(/nothing is left/).reason.code).toBe('conflict')
    await store.close()
  })

  test('one of several rows, of which one can’t be put back: nothing of it is undone', async () => {
    const { store, tasks, theirs, expectSkipped } = await open()
    theirs(put('task', 't1', { slug: 'one' }), put('task', 't2', { slug: 'two' }))
    store.transaction(() => {
      tasks.delete('t1')
      tasks.delete('t2')
    })
    theirs(put('task', 't9', { slug: 'two' }))
    expectSkipped(/slug/)
    expect(tasks.has('t1')).toBe(false)
    await store.close()
  })
})

describe('what others have changed or deleted since is left alone, the rest is undone', () => {
  test('cells', async () => {
    const { store, tasks, theirs, skipped } = await open()
    theirs(put('task', 't1', { title: 'old' }))
    tasks.update('t1', { title: 'mine', slug: 'mine' })
    theirs(patch('task', 't1', { title: 'theirs' }))
    expect(store.history.undo()).toBeDefined()
    expect(tasks.get('t1')).toEqual({ id: 't1', title: 'theirs' })
    expect(skipped()).toEqual([])
    await store.close()
  })

  test('rows', async () => {
    const { store, tasks, theirs, skipped } = await open()
    theirs(put('task', 't1', {}), put('task', 't2', {}))
    tasks.updateMany({ id: { in: ['t1', 't2'] } }, { title: 'mine' })
    theirs(drop('task', 't1'))
    expect(store.history.undo()).toBeDefined()
    expect(tasks.get('t2')?.title).toBe('')
    expect(skipped()).toEqual([])
    await store.close()
  })
})

describe('an undo never takes another’s rows with it', () => {
  test('of an inserted parent, over several levels', async () => {
    const { store, projects, tasks, theirs, expectSkipped } = await open()
    projects.insert({ id: 'R' })
    theirs(put('task', 't1', { project: 'R' }), put('task', 't2', { parent: 't1' }))
    const { reason } = expectSkipped(/project "R" can't be taken away: task "t1"/)
    expect(reason).toMatchObject({ constraint: 'foreignKey', table: 'task', columns: ['project'] })
    expect(tasks.keys()).toEqual(['t0', 't1', 't2'])
    await store.close()
  })

  test('where the reference is restricted', async () => {
    const { store, projects, theirs, expectSkipped } = await open()
    projects.insert({ id: 'R' })
    theirs(put('task', 't1', { guard: 'R' }))
    expectSkipped(/task "t1"/)
    await store.close()
  })

  test('but a reference that can be without its row is cleared, and comes back with it', async () => {
    const { store, projects, tasks, theirs, skipped } = await open()
    projects.insert({ id: 'R' })
    theirs(put('task', 't1', { helper: 'R' }))
    expect(store.history.undo()).toBeDefined()
    expect(tasks.get('t1')).toEqual({ id: 't1', title: '' })
    expect(skipped()).toEqual([])
    await store.close()
  })

  test('nor does a deletion that is done again', async () => {
    const { store, projects, tasks, theirs, skipped, steps } = await open()
    projects.delete('Q')
    store.history.undo()
    theirs(put('task', 't1', { project: 'Q' }))
    expect(store.history.redo()).toBeUndefined()
    expect(skipped()).toMatchObject([{ action: 'redo', reason: { constraint: 'foreignKey' } }])
    expect(projects.has('Q')).toBe(true)
    expect(tasks.has('t1')).toBe(true)
    expect(steps()).toEqual({ done: 1, undone: 0 })
    await store.close()
  })

  test('nor one of a draft, which gives its step back when it ends', async () => {
    const { store, projects, skipped, steps } = await open()
    projects.insert({ id: 'R' })
    const draft = store.draft({ label: 'Plan' })
    // The row is there for all who may refer to it.
    draft.table('task').insert({ id: 't1', project: 'R' })
    expect(store.history.undo()).toBeUndefined()
    expect(skipped()[0]!.reason).toMatchObject({ draftId: draft.id })
    expect(skipped()[0]!.reason.message).toMatch(/'Plan'/)
    expect(steps()).toEqual({ done: 1, undone: 0 })
    draft.cancel()
    expect(skipped()).toEqual([])
    expect(steps()).toEqual({ done: 2, undone: 0 })
    store.history.undo()
    expect(projects.has('R')).toBe(false)
    await store.close()
  })
})

describe('what only a draft stands in the way of', () => {
  test('a mixture that its schema does not allow is never seen', async () => {
    const { store, tasks, theirs, skipped } = await open()
    theirs(put('task', 't1', {}))
    tasks.set('t1', 'to', 5)
    const draft = store.draft()
    draft.table('task').set('t1', 'from', 3)
    expect(store.history.undo()).toBeUndefined()
    expect(skipped()[0]!.reason).toMatchObject({ draftId: draft.id })
    expect(tasks.get('t1')).toMatchObject({ from: 3, to: 5 })
    await store.close()
  })

  type Opened = Awaited<ReturnType<typeof open>>
  test.each<[how: string, take: (tasks: Opened['tasks']) => void]>([
    ['a row of its own', (tasks) => tasks.insert({ id: 'mine', slug: 's' })],
    ['a value of its own', (tasks) => tasks.set('t0', 'slug', 's')],
  ])('a unique value that it has taken by %s is given back once it is cancelled', async (_how, take) => {
    const steps: readonly [undo: 'undo' | 'redo', run: (of: Opened) => void][] = [
      ['undo', ({ tasks }) => tasks.delete('t1')],
      ['undo', ({ tasks }) => tasks.set('t1', 'slug', 'other')],
      ['undo', ({ projects }) => projects.delete('P')],
      [
        'redo',
        ({ store, tasks }) => (tasks.set('t1', 'slug', 'other'), tasks.set('t1', 'slug', 's'), store.history.undo()),
      ],
    ]
    for (const [action, run] of steps) {
      const opened = await open()
      const { store, tasks, skipped } = opened
      tasks.insert({ id: 't1', slug: 's', project: 'P' })
      run(opened)
      const before = tasks.all()
      const draft = store.draft({ label: 'Plan' })
      take(draft.table('task') as unknown as Opened['tasks'])
      expect(store.history[action]()).toBeUndefined()
      expect(skipped()).toMatchObject([
        { action, reason: { constraint: 'unique', columns: ['slug'], draftId: draft.id } },
      ])
      expect(skipped()[0]!.reason.message).toMatch(/'Plan'/)
      draft.cancel()
      expect(tasks.all()).toEqual(before)
      expect(skipped()).toEqual([])
      expect(store.history[action]()).toBeDefined()
      expect(tasks.get('t1')?.slug).toBe('s')
      await store.close()
    }
  })

  test('goes back among the others by its place, below what was committed meanwhile', async () => {
    const { store, projects, tasks, steps } = await open()
    projects.insert({ id: 'R' })
    const draft = store.draft()
    draft.table('task').insert({ id: 't1', project: 'R' })
    store.history.undo()
    tasks.set('t0', 'title', 'third')
    draft.cancel()
    expect(steps()).toEqual({ done: 3, undone: 0 })
    store.history.undo()
    expect(tasks.get('t0')?.title).toBe('second')
    store.history.undo()
    expect(projects.has('R')).toBe(false)
    store.history.undo()
    expect(tasks.get('t0')?.title).toBe('first')
    await store.close()
  })

  test('is not done again once something else was committed', async () => {
    const { store, projects, tasks, steps, skipped } = await open()
    projects.delete('Q')
    store.history.undo()
    const draft = store.draft()
    draft.table('task').insert({ id: 't1', project: 'Q' })
    expect(store.history.redo()).toBeUndefined()
    tasks.set('t0', 'title', 'third')
    store.history.undo()
    draft.cancel()
    expect(steps()).toEqual({ done: 1, undone: 1 })
    expect(skipped()).toHaveLength(1)
    await store.close()
  })
})

test('within a transaction an undo throws, also where there is nothing to undo, and no step is set aside', async () => {
  const { store, steps, skipped } = await open()
  expect(() => store.transaction(() => store.history.undo())).toThrow(TransactionError)
  expect(() => store.transaction(() => store.history.redo())).toThrow(TransactionError)
  expect(skipped()).toEqual([])
  expect(steps()).toEqual({ done: 1, undone: 0 })
  await store.close()
})

test('who writes in answer to an undo adds a step, and takes none', async () => {
  const { store, tasks, projects } = await open()
  store.changes$.subscribe(({ origin }) => {
    if (origin === 'undo') projects.insert({ id: 'answer' })
  })
  store.history.undo()
  expect(projects.has('answer')).toBe(true)
  expect(store.history.undo()?.changes.changes).toMatchObject([{ table: 'project', key: 'answer' }])
  expect(tasks.get('t0')?.title).toBe('first')
  await store.close()
})

test('as many are kept as steps, the newest; clear forgets them', async () => {
  const store = await createStore({ schema, history: { limit: 3 } })
  const inside = internals(store as never)
  let skipped: readonly SkippedStep[] = []
  store.history.skipped$.subscribe((now) => (skipped = now))
  for (let n = 0; n < 5; n++) {
    store.table('project').insert({ id: `p${n}` })
    inside.applyRemote({ changes: [drop('project', `p${n}`)] })
    store.history.undo()
  }
  expect(skipped.map(({ step }) => step.changes.changes[0]!.key)).toEqual(['p2', 'p3', 'p4'])
  store.history.clear()
  expect(skipped).toEqual([])
  await store.close()
})

test('the transaction that undoes a step, or does it again, may be called something else than the step', async () => {
  const store = await createStore({
    schema,
    history: { label: ({ label }, action) => label && `${action}: ${label}` },
  })
  const labels: unknown[] = []
  store.commits$.subscribe(({ label }) => labels.push(label))
  store.transaction(() => store.table('project').insert({ id: 'P' }), { label: 'Add' })
  expect(store.history.undo()?.label).toBe('Add')
  expect(store.history.redo()?.label).toBe('Add')
  expect(labels).toEqual(['Add', 'undo: Add', 'redo: Add'])
  await store.close()
  await expect(createStore({ schema, history: { label: 'Undo' as never } })).rejects.toThrow(/label is a function/)
})
