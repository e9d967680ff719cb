import { expect, test } from 'vitest'
import { assertOwner, canBeSame } from '../../../src/transport/sync/owner.ts'

const database = 'd'

function jwt(sub: string, exp = 0): string {
  return `e30.${btoa(JSON.stringify({ sub, exp })).replace(/=+$/, '')}.signature`
}

test('the user of a JSON Web Token is known by its subject, whichever token it is', async () => {
  const owner = await assertOwner(undefined, { user: undefined, token: jwt('ann'), database })
  expect(owner).toEqual({ as: 'ann' })
  await assertOwner({ ...owner, user: '7' }, { user: undefined, token: async () => jwt('ann', 1), database })
  const other = assertOwner(owner, { user: undefined, token: async () => jwt('bob'), database })
  await expect(other).rejects.toMatchObject({ code: 'other-user' })
})

test('an opaque token is known by itself, and is not kept', async () => {
  const owner = await assertOwner(undefined, { user: undefined, token: 'secret', database })
  expect(JSON.stringify(owner)).not.toContain('secret')
  await assertOwner(owner, { user: undefined, token: 'secret', database })
  for (const token of ['another', undefined])
    await expect(assertOwner(owner, { user: undefined, token, database })).rejects.toMatchObject({ code: 'other-user' })
})

test('the option user is compared with what the server has said, and nobody is asked for a token', async () => {
  const token = (): never => expect.unreachable()
  await assertOwner({ user: 'ann', as: 'sha-256:0' }, { user: 'ann', token, database })
  const other = assertOwner({ user: 'ann' }, { user: 'bob', token, database })
  await expect(other).rejects.toMatchObject({ code: 'other-user' })
})

test('a token that can not be had says nothing: the server does', async () => {
  const token = (): Promise<string> => Promise.reject(new Error('offline'))
  expect(await assertOwner({ user: 'ann' }, { user: undefined, token, database })).toEqual({ user: 'ann' })
})

test("what nobody has named may be anybody's", () => {
  expect(canBeSame({}, { user: 'ann' })).toBe(true)
  expect(canBeSame({ user: 'ann', as: 'x' }, { user: 'bob', as: 'x' })).toBe(false)
  expect(canBeSame({ as: 'x' }, { as: 'y' })).toBe(false)
})
