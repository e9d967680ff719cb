// RxDB in memory with its wrapper that validates every write by ajv.
import { wrappedValidateAjvStorage } from 'rxdb/plugins/validate-ajv'
import { contenderOn } from './rxdb.mjs'

/** @type {import('../../stores/contender.ts').Contender} */
export const contender = contenderOn('RxDB 17 (memory, ajv)', true, (storage) => wrappedValidateAjvStorage({ storage }))
