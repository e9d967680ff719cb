import { expect, test } from 'vitest'
import { indexedDbPersistence, opfsPersistence } from '../../src/persist/index.ts'

test.each([
  ['opfsPersistence', opfsPersistence({ name: 'notes' })],
  ['indexedDbPersistence', indexedDbPersistence({ name: 'notes' })],
])('where a server renders the page, %s says to open the store in the browser alone', async (_, persistence) => {
  await expect(persistence.open()).rejects.toMatchObject({
    code: 'persistence-unavailable',
    message: expect.stringMatching(/'notes' can't be opened.*a server renders.*ssr: false.*filePersistence/) as string,
  })
})
