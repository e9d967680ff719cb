import { expect, test } from 'vitest'
import { Generations } from '../../src/persist/generations.ts'
import { firstSeed, Random } from '../support/random.ts'
import { CrashDisk } from './crash-disk.ts'
import { bytes, plain } from './persistence-contract.ts'

interface Plain {
  readonly snapshot: string | undefined
  readonly records: readonly string[]
}

/** Random appends and replacements, some failing, until the disk crashes: what may be there then. */
async function writeUntilCrash(disk: CrashDisk, random: Random, start: Plain, life: number): Promise<readonly Plain[]> {
  let possible = [start]
  try {
    const generations = await Generations.open(disk)
    for (let step = 0; step < 12; step += 1) {
      const [confirmed = start] = possible
      const records = Array.from(
        { length: random.int(4) },
        (_, n) => `${life}.${step}.${n}${'x'.repeat(random.int(30))}`,
      )
      if (random.chance(10)) disk.failOnce(1 + random.int(10), new DOMException('no space', 'QuotaExceededError'))
      let write: Promise<void>
      if (random.chance(70)) {
        possible = prefixes(confirmed, records)
        write = generations.append(records.map(bytes))
      } else {
        const snapshot = random.chance(80) ? `snapshot ${life}.${step}${'y'.repeat(random.int(50))}` : undefined
        possible = [confirmed, { snapshot, records }]
        write = generations.replace(snapshot === undefined ? undefined : bytes(snapshot), records.map(bytes))
      }
      try {
        await write
      } catch (error) {
        if (disk.hasCrashed || !(error instanceof DOMException)) throw error
        possible = [confirmed]
      }
      possible = possible.slice(-1)
    }
    await generations.close()
  } catch (error) {
    if (!disk.hasCrashed) throw error
  }
  return possible
}

function prefixes({ snapshot, records }: Plain, more: readonly string[]): Plain[] {
  return [...more, ''].map((_, length) => ({ snapshot, records: [...records, ...more.slice(0, length)] }))
}

test('after a crash at any operation everything confirmed is there, and of the call in flight all, a prefix or nothing', async () => {
  for (let seed = firstSeed; seed < firstSeed + 300; seed += 1) {
    const random = new Random(seed)
    let disk = new CrashDisk(random.int(120))
    let start: Plain = { snapshot: undefined, records: [] }
    // Crash upon crash: recovery too is interrupted.
    for (let crash = 0; crash < 4; crash += 1) {
      const possible = await writeUntilCrash(disk, random, start, crash)
      const after = disk.afterCrash(random)
      const found = plain(await (await Generations.open(after)).load())
      const what = `seed ${seed}, crash ${crash}`
      expect(possible, what).toContainEqual(found)
      start = found
      disk = after.crashingAfter(random.int(60))
    }
  }
})

test('a write that fails for want of space leaves what was there, at once and after it is opened again', async () => {
  for (let failAt = 1; failAt < 20; failAt += 1) {
    for (const op of ['append', 'replace'] as const) {
      const disk = new CrashDisk()
      const generations = await Generations.open(disk)
      await generations.replace(bytes('base'), [bytes('one')])
      disk.failOnce(failAt, new DOMException('the disk is full', 'QuotaExceededError'))
      const write =
        op === 'append'
          ? generations.append([bytes('two'), bytes('three')])
          : generations.replace(bytes('new base'), [bytes('four')])
      const failed = await write.then(
        () => false,
        () => true,
      )
      const expected = !failed
        ? op === 'append'
          ? { snapshot: 'base', records: ['one', 'two', 'three'] }
          : { snapshot: 'new base', records: ['four'] }
        : { snapshot: 'base', records: ['one'] }
      disk.failNoMore()
      expect(plain(await generations.load()), `${op}, ${failAt}`).toEqual(expected)
      expect(plain(await (await Generations.open(disk)).load()), `${op}, ${failAt}`).toEqual(expected)
      await generations.append([bytes('after')])
      const found = plain(await (await Generations.open(disk)).load())
      expect(found.records, `${op}, ${failAt}`).toEqual([...expected.records, 'after'])
    }
  }
})

test('a crash while a failed replacement is cleared away leaves the old contents or the new', async () => {
  const random = new Random(firstSeed)
  const filled = new CrashDisk()
  await (await Generations.open(filled)).replace(bytes('base'), [bytes('one')])
  const old = { snapshot: 'base', records: ['one'] }
  const replaced = { snapshot: 'new base', records: ['two'] }
  for (let failAt = 1; failAt < 12; failAt += 1) {
    for (let crashAt = 2; crashAt < 25; crashAt += 1) {
      for (let fate = 0; fate < 20; fate += 1) {
        const disk = filled.crashingAfter(crashAt)
        const generations = await Generations.open(disk)
        disk.failOnce(failAt, new DOMException('the disk is full', 'QuotaExceededError'))
        await generations.replace(bytes('new base'), [bytes('two')]).catch((error: unknown) => error)
        const after = disk.afterCrash(random)
        const what = `seed ${firstSeed}, failing at ${failAt}, crash at ${crashAt}`
        expect([old, replaced], what).toContainEqual(plain(await (await Generations.open(after)).load()))
      }
    }
  }
})

test('a journal cut at any byte gives the records before the cut, and takes new ones there', async () => {
  const disk = new CrashDisk()
  const generations = await Generations.open(disk)
  await generations.replace(bytes('base'), [bytes('a'), bytes(''), bytes('long enough')])
  await generations.append([bytes('b')])
  const name = '2.log'
  const whole = await disk.open(name).read(0, Number.POSITIVE_INFINITY)
  const ends = [0, 9, 17, 36, 45].map((end) => 32 + end)
  expect(whole.length).toBe(ends.at(-1))
  const all = ['a', '', 'long enough', 'b']
  for (let length = 32; length <= whole.length; length += 1) {
    for (const behind of [new Uint8Array(), new Uint8Array(20), Uint8Array.of(255, 255, 255, 255, 1, 2, 3, 4, 5)]) {
      const cut = new CrashDisk(
        Number.POSITIVE_INFINITY,
        new Map([
          [name, Uint8Array.of(...whole.subarray(0, length), ...behind)],
          ['2.db', bytes('base')],
        ]),
      )
      const reopened = await Generations.open(cut)
      const records = all.slice(0, ends.filter((end) => end <= length).length - 1)
      expect(plain(await reopened.load()), `${length}`).toEqual({ snapshot: 'base', records })
      await reopened.append([bytes('next')])
      expect(plain(await (await Generations.open(cut)).load()).records).toEqual([...records, 'next'])
    }
  }
})

test('a journal with a broken header and no other is reported, and nothing is removed', async () => {
  const disk = new CrashDisk()
  const generations = await Generations.open(disk)
  await generations.replace(bytes('base'), [bytes('a')])
  const file = disk.open('2.log')
  await file.write(Uint8Array.of(0), 3)
  const found = await (await Generations.open(disk)).load()
  expect(plain(found)).toEqual({ snapshot: undefined, records: ['a'] })
  expect(found.damage).toMatchObject({ snapshot: true, gaps: [] })
  expect(disk.list().toSorted()).toEqual(['2.db', '2.log'])
})

test('a snapshot that is no longer what was written is reported on load', async () => {
  const disk = new CrashDisk()
  const generations = await Generations.open(disk)
  await generations.replace(bytes('base'), [])
  await disk.open('2.db').write(bytes('X'), 1)
  expect((await generations.load()).damage).toMatchObject({ snapshot: true, gaps: [] })
})

test('one generation of files is left after many replacements', async () => {
  const disk = new CrashDisk()
  const generations = await Generations.open(disk)
  for (let n = 0; n < 12; n += 1) await generations.replace(bytes(`${n}`), [])
  expect(disk.list().toSorted()).toEqual(['13.db', '13.log'])
})

test('any byte of a journal that is flipped is told, and costs one record at most', async () => {
  const disk = new CrashDisk()
  const generations = await Generations.open(disk)
  await generations.replace(bytes('base'), [bytes('one'), bytes('two, which is longer')])
  await generations.append([bytes('three')])
  await generations.append([bytes('four'), bytes('five')])
  const whole = await disk.open('2.log').read(0, Number.POSITIVE_INFINITY)
  const all = plain(await generations.load()).records
  for (let at = 32; at < whole.length; at += 1) {
    const flipped = whole.with(at, whole[at]! ^ 0x55)
    const files = new Map([
      ['2.log', flipped],
      ['2.db', bytes('base')],
    ])
    const { damage, ...found } = await (await Generations.open(new CrashDisk(Number.POSITIVE_INFINITY, files))).load()
    const { records } = plain(found)
    expect(records, `${at}`).toEqual(all.filter((record) => records.includes(record)))
    expect(records.length, `${at}`).toBeGreaterThanOrEqual(damage ? all.length - 1 : all.length)
  }
})

test('what is damaged is set aside by the next replacement', async () => {
  const disk = new CrashDisk()
  const generations = await Generations.open(disk)
  await generations.replace(bytes('base'), [bytes('a')])
  await disk.open('2.db').write(bytes('X'), 1)
  await generations.load()
  await generations.replace(bytes('new'), [])
  expect(disk.list().toSorted()).toEqual(['2.db.damaged', '2.log.damaged', '3.db', '3.log'])
  expect(plain(await (await Generations.open(disk)).load())).toEqual({ snapshot: 'new', records: [] })
})

test('a journal that is damaged is set aside where a file can be opened once at a time, as in OPFS', async () => {
  const disk = new CrashDisk()
  const before = await Generations.open(disk)
  await before.append([bytes('one')])
  await before.append([bytes('two')])
  await before.close()
  const file = disk.open('1.log')
  const lost = (await file.read(0, await file.size())).lastIndexOf('o'.charCodeAt(0)) - 4
  await file.write(bytes('x'), lost)
  await file.flush()
  const opened = new Set<string>()
  const open = disk.open.bind(disk)
  disk.open = (name) => {
    if (opened.has(name)) throw new DOMException(`${name} is open already`, 'NoModificationAllowedError')
    opened.add(name)
    return { ...open(name), close: () => void opened.delete(name) }
  }
  const generations = await Generations.open(disk)
  expect((await generations.load()).damage).toBeDefined()
  await generations.replace(bytes('anew'), [])
  expect(disk.list().toSorted()).toEqual(['1.log.damaged', '2.db', '2.log'])
  expect(plain(await generations.load())).toEqual({ snapshot: 'anew', records: [] })
})
