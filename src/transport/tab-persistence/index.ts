/**
 * tab-persistence: one copy of a store's persistence for all tabs of an origin. Imports ../sync for what the records
 * mean, src/tabs and, for its errors, src/persist.
 * @module
 */
export { tabPersistence, type TabPersistenceOptions } from './tab-persistence.ts'
