import { indexedDbPersistence } from '../../../src/persist/index.ts'
import { runPersistenceContract } from '../../persist/persistence-contract.ts'

runPersistenceContract('indexedDbPersistence', (name) => indexedDbPersistence({ name }))
