import { existsSync } from 'node:fs'
import type { Contender } from '../contender.ts'

/** In the order of the table's columns. The first two are what the others are compared with. */
export const contenders = [
  'rowcast',
  'raw-sql-js',
  'mobx',
  'tinybase',
  'tanstack',
  'rxdb',
  'rxdb-ajv',
  'zustand',
  'livestore',
] as const
/** Variants that validate, which take part in inserting only, each in the column of the other. */
export const validating: Readonly<Record<string, string>> = { 'rxdb-ajv': 'rxdb' }

const own = new Set<string>(['rowcast', 'raw-sql-js'])

// The peers are a package of their own, that the library's types and lock know nothing of.
const peer = (name: string): URL => new URL(`../../peers/stores/${name}.mjs`, import.meta.url)

export const isPeer = (name: string): boolean => !own.has(name)

export const isThere = (name: string): boolean => own.has(name) || existsSync(peer(name))

export async function contenderOf(name: string): Promise<Contender> {
  if (name === 'rowcast') return (await import('./rowcast.ts')).rowcast
  if (name === 'raw-sql-js') return (await import('./raw-sql-js.ts')).rawSqlJs
  const { contender } = (await import(peer(name).href)) as { contender: Contender }
  return contender
}
