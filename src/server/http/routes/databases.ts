import type { Answer } from '../call.ts'
import { readBytes } from '../read-body.ts'

export const listDatabases: Answer = async ({ core, user }) => {
  await core.authorize(user, 'list')
  const names = await core.databases.list()
  return Response.json({ databases: names.map((name) => ({ name })) })
}

export const createDatabase: Answer = async (call) => {
  const { core, user, name, made } = call
  // Another server has asked before it sent what it has made.
  if (!made) await core.authorize(user, 'create', name)
  const first = made && { ...made, bytes: await readBytes(call, Infinity) }
  const sequence = await core.databases.create(name, first)
  return Response.json({ name, sequence }, { status: 201 })
}

export const deleteDatabase: Answer = async ({ core, user, name }) => {
  await core.authorize(user, 'delete', name)
  await core.databases.delete(name)
  return new Response(null, { status: 204 })
}
