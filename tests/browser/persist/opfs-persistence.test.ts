import { expect, test } from 'vitest'
import { indexedDbPersistence, opfsFiles, opfsPersistence } from '../../../src/persist/index.ts'
import { bytes, plain, runPersistenceContract } from '../../persist/persistence-contract.ts'
import { otherTab } from './other-tab.ts'

runPersistenceContract('opfsPersistence', (name) => opfsPersistence({ name }))

test('what it keeps lies in OPFS, a snapshot and a journal', async () => {
  const session = await opfsPersistence({ name: 'where' }).open()
  await session.replace(new Uint8Array(10))
  await session.close()
  const names = await opfsFiles({ directory: '.rowcast/store-where' }).readdir('/')
  expect(names.map((name) => name.replace(/^\d+/, 'n'))).toEqual(['n.db', 'n.log'])
})

test('another tab is refused while it is open here, and may open it when that tab is gone', async () => {
  const other = await otherTab()
  expect(await other.open('two tabs')).toBe('done')
  await expect(opfsPersistence({ name: 'two tabs' }).open()).rejects.toMatchObject({ code: 'persistence-in-use' })
  other.close()
  const session = await opfsPersistence({ name: 'two tabs' }).open()
  await session.close()
})

async function databases(): Promise<(string | undefined)[]> {
  return (await indexedDB.databases()).map(({ name }) => name)
}

for (const snapshot of ['base', undefined]) {
  const what = snapshot ? 'a snapshot and records' : 'records alone'
  test(`${what} that IndexedDB kept while there was no OPFS are there once there is`, async () => {
    const name = `moved ${what}`
    const before = await indexedDbPersistence({ name }).open()
    if (snapshot) await before.replace(bytes(snapshot))
    await before.append([bytes('one'), bytes('two')])
    const early = opfsPersistence({ name }).open()
    await expect(early).rejects.toMatchObject({ code: 'persistence-in-use' })
    await before.close()
    const session = await opfsPersistence({ name }).open()
    expect(plain(await session.load())).toEqual({ snapshot, records: ['one', 'two'] })
    expect(await databases()).not.toContain(`rowcast:${name}`)
    await session.append([bytes('three')])
    await session.close()
    const again = await opfsPersistence({ name }).open()
    expect(plain(await again.load())).toEqual({ snapshot, records: ['one', 'two', 'three'] })
    await again.close()
  })
}

test('what OPFS has counts, and what IndexedDB has of that name stays there', async () => {
  const name = 'both'
  const opfs = await opfsPersistence({ name }).open()
  await opfs.append([bytes('in OPFS')])
  await opfs.close()
  const database = await indexedDbPersistence({ name }).open()
  await database.append([bytes('in IndexedDB')])
  await database.close()
  const session = await opfsPersistence({ name }).open()
  expect(plain(await session.load()).records).toEqual(['in OPFS'])
  await session.close()
  const still = await indexedDbPersistence({ name }).open()
  expect(plain(await still.load()).records).toEqual(['in IndexedDB'])
  await still.close()
})
