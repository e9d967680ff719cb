import type { CellValue } from '../../src/changes/index.ts'
import { Presence, type PresenceMember } from '../../src/server/presence.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

let presence: Presence

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  presence = new Presence(
    1_000_000,
    async (work) => work(),
    (error) => {
      throw error
    },
  )
})

afterEach(() => {
  presence.close()
  vi.useRealTimers()
})

class Member implements PresenceMember {
  readonly texts: string[] = []
  hasRoom = true
  readonly id: string
  readonly owner: string
  readonly shown: ((state: CellValue) => CellValue) | undefined

  constructor(id: string, shown?: (state: CellValue) => CellValue, owner = id) {
    this.id = id
    this.owner = owner
    this.shown = shown
    presence.enter(this, { by: id })
  }

  sendPresence(text: string): void {
    this.texts.push(text)
  }

  say(state: CellValue): boolean {
    return presence.set(this, state, JSON.stringify(state))
  }

  /** What it was told, each message as states by session. */
  get told(): Record<string, unknown>[] {
    return this.texts.map((text) => {
      const { others } = JSON.parse(`{${text}`) as { others: { session: string; state: unknown }[] }
      return Object.fromEntries(others.map(({ session, state }) => [session, state]))
    })
  }
}

/** What was gathered is told. */
async function gathered(): Promise<void> {
  await vi.advanceTimersByTimeAsync(40)
}

async function enter(count: number): Promise<Member[]> {
  const members = Array.from({ length: count }, (_, n) => new Member(`m${n}`))
  await gathered()
  for (const { texts } of members) texts.length = 0
  return members
}

test('what changes is told to everyone in one message, whose text is made once', async () => {
  const [first, ...others] = await enter(100)
  for (let n = 0; n < 10; n++) first!.say({ n })
  await gathered()
  for (const { told } of others) expect(told).toEqual([{ m0: { n: 9 } }])
  expect(new Set(others.map(({ texts }) => texts[0])).size).toBe(1)
  expect(first!.texts).toEqual([])
})

test('who comes is told once of those who came just before', async () => {
  const first = new Member('first')
  const second = new Member('second')
  await gathered()
  expect(second.told).toEqual([{ first: {} }])
  expect(first.told).toEqual([{ second: {} }])
})

test('who is slow to read is told nothing until there is room, and then the newest only', async () => {
  const [first, second, slow] = await enter(3)
  slow!.hasRoom = false
  for (let n = 0; n < 20; n++) {
    first!.say({ n })
    await gathered()
  }
  presence.leave(second!)
  await gathered()
  expect(slow!.texts).toEqual([])
  slow!.hasRoom = true
  await gathered()
  expect(slow!.told).toEqual([{ m0: { n: 19 }, m1: null }])
  expect(second!.told).toHaveLength(20)
})

test('who comes is told of all who are here, as they are when there is room', async () => {
  const members = await enter(60)
  for (const member of members) member.say(member.id)
  await gathered()
  const late = new Member('late')
  expect(late.told.map((told) => Object.keys(told).length)).toEqual([50, 10])
  await gathered()
  expect(late.texts).toHaveLength(2)
  expect(members[0]!.told.at(-1)).toEqual({ late: {} })
})

test('who comes many times at once is told in shares, and of everyone in the end', async () => {
  const members = await enter(8)
  for (const member of members) member.say('x'.repeat(100_000))
  await gathered()
  const comers = Array.from({ length: 20 }, (_, n) => new Member(`c${n}`, undefined, 'mallory'))
  expect(comers.flatMap(({ texts }) => texts).join('').length).toBeLessThan(3_000_000)
  await expect
    .poll(async () => {
      await gathered()
      return comers.every(({ told }) => members.every(({ id }) => told.some((others) => id in others)))
    })
    .toBe(true)
})

test('who may not see every row is told by a text of its own where rows are named, by the common one else', async () => {
  const [first] = await enter(1)
  const asked: CellValue[] = []
  const restricted = new Member('restricted', (state) => {
    asked.push(state)
    return { hidden: true }
  })
  restricted.texts.length = 0
  await gathered()
  first!.say({ at: { table: 'note', key: 1 } })
  await gathered()
  first!.say({ x: 1 })
  await gathered()
  expect(restricted.told.slice(-2)).toEqual([{ m0: { hidden: true } }, { m0: { x: 1 } }])
  expect(asked).toHaveLength(1)
})

test('what all say together is bounded, and what one takes back is free for others', async () => {
  const [first, second] = await enter(2)
  expect(first!.say('x'.repeat(600_000))).toBe(true)
  expect(second!.say('x'.repeat(600_000))).toBe(false)
  expect(first!.say('x'.repeat(300_000))).toBe(true)
  expect(second!.say('x'.repeat(600_000))).toBe(true)
  presence.leave(second!)
  expect(first!.say('x'.repeat(900_000))).toBe(true)
})
